package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.function.Consumer;

/** What a queue pair remembers, refuses and allows in its states. */
class QpStateTest {
    private static final AhAttr OTHER_PORT = new AhAttr(0, 0, false, 0, 0, 0, 0, 1, 0, 2);
    private static final AhAttr OTHER_GID = new AhAttr(0, 0, true, 1, 0, 0, 0, 1, 0, 1);

    private final SoftFixture fixture = new SoftFixture();

    @Test
    void queryTellsEverythingThatWasSet() {
        Peer p = fixture.peer(Ibv.QPT_RC);
        p.attr.rqPsn = 0x1234567;
        p.attr.sqPsn = 0x7654321;
        p.attr.timeout = 3;
        p.attr.retryCnt = 4;
        p.attr.rnrRetry = 5;
        p.attr.minRnrTimer = 6;
        p.attr.maxRdAtomic = 7;
        p.attr.maxDestRdAtomic = 8;
        p.attr.pathMtu = 3;
        p.attr.qpAccessFlags = Ibv.ACCESS_REMOTE_READ;
        p.init().rtr(77).rts();

        QpAttr a = new QpAttr();
        assertThat(p.qp.query(a)).isZero();

        assertThat(a.qpState).isEqualTo(Ibv.QPS_RTS);
        assertThat(a.curQpState).isEqualTo(Ibv.QPS_RTS);
        assertThat(a.rqPsn).isEqualTo(0x234567);
        assertThat(a.sqPsn).isEqualTo(0x654321);
        assertThat(a.timeout).isEqualTo(3);
        assertThat(a.retryCnt).isEqualTo(4);
        assertThat(a.rnrRetry).isEqualTo(5);
        assertThat(a.minRnrTimer).isEqualTo(6);
        assertThat(a.maxRdAtomic).isEqualTo(7);
        assertThat(a.maxDestRdAtomic).isEqualTo(8);
        assertThat(a.pathMtu).isEqualTo(3);
        assertThat(a.qpAccessFlags).isEqualTo(Ibv.ACCESS_REMOTE_READ);
        assertThat(a.destQpNum).isEqualTo(77);
        assertThat(a.portNum).isEqualTo(1);
        assertThat(a.av).isEqualTo(p.attr.av);
    }

    static List<Consumer<QpAttr>> badValues() {
        return List.of(
                a -> a.portNum = 2,
                a -> a.pkeyIndex = 1,
                a -> a.pkeyIndex = -1,
                a -> a.qpAccessFlags = 1 << 30);
    }

    @ParameterizedTest
    @MethodSource("badValues")
    void aBadValueChangesNothing(Consumer<QpAttr> spoil) {
        Peer p = fixture.peer(Ibv.QPT_RC);
        spoil.accept(p.attr);

        assertThat(p.modify(Ibv.QPS_INIT, SoftFixture.INIT_RC)).isEqualTo(-Errno.EINVAL);

        QpAttr a = new QpAttr();
        assertThat(p.qp.query(a)).isZero();
        assertThat(a).usingRecursiveComparison().isEqualTo(new QpAttr());
    }

    static List<Consumer<QpAttr>> badPaths() {
        return List.of(
                a -> a.pathMtu = 0,
                a -> a.pathMtu = 6,
                a -> a.minRnrTimer = 32,
                a -> a.minRnrTimer = -1,
                a -> a.maxDestRdAtomic = SoftDevice.MAX_RD_ATOMIC + 1,
                a -> a.destQpNum = 1 << 24,
                a -> a.av = OTHER_PORT,
                a -> a.av = OTHER_GID);
    }

    @ParameterizedTest
    @MethodSource("badPaths")
    void aBadPathIsRefused(Consumer<QpAttr> spoil) {
        Peer p = fixture.peer(Ibv.QPT_RC).init();
        spoil.accept(p.attr);

        assertThat(p.modify(Ibv.QPS_RTR, SoftFixture.RTR_RC)).isEqualTo(-Errno.EINVAL);

        assertThat(p.state()).isEqualTo(Ibv.QPS_INIT);
    }

    static List<Consumer<QpAttr>> badRetries() {
        return List.of(
                a -> a.timeout = 32,
                a -> a.retryCnt = 8,
                a -> a.rnrRetry = 8,
                a -> a.rnrRetry = -1,
                a -> a.maxRdAtomic = SoftDevice.MAX_RD_ATOMIC + 1);
    }

    @ParameterizedTest
    @MethodSource("badRetries")
    void badRetriesAreRefused(Consumer<QpAttr> spoil) {
        Peer p = fixture.peer(Ibv.QPT_RC).init().rtr(77);
        spoil.accept(p.attr);

        assertThat(p.modify(Ibv.QPS_RTS, SoftFixture.RTS_RC)).isEqualTo(-Errno.EINVAL);

        assertThat(p.state()).isEqualTo(Ibv.QPS_RTR);
    }

    @Test
    void aWrongIdeaOfTheCurrentStateIsRefused() {
        Peer p = fixture.peer(Ibv.QPT_UC).init().rtr(77);
        p.attr.curQpState = Ibv.QPS_SQD;
        int mask = SoftFixture.RTS_UC | Ibv.QP_CUR_STATE;

        assertThat(p.modify(Ibv.QPS_RTS, mask)).isEqualTo(-Errno.EINVAL);
        p.attr.curQpState = Ibv.QPS_RTR;
        assertThat(p.modify(Ibv.QPS_RTS, mask)).isZero();
    }

    @Test
    void statesThatDoNotExistAreRefused() {
        Peer p = fixture.peer(Ibv.QPT_RC);

        assertThat(p.modify(7, Ibv.QP_STATE)).isEqualTo(-Errno.EINVAL);
        assertThat(p.modify(-1, Ibv.QP_STATE)).isEqualTo(-Errno.EINVAL);
        assertThat(p.modify(Integer.MAX_VALUE, Ibv.QP_STATE)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void resetForgetsAllAttributes() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);

        assertThat(p[0].modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();

        QpAttr a = new QpAttr();
        assertThat(p[0].qp.query(a)).isZero();
        assertThat(a).usingRecursiveComparison().isEqualTo(new QpAttr());
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC, Ibv.QPT_UD})
    void sendingNeedsRtsAndReceivingNeedsInit(int type) {
        Peer p = fixture.peer(type);
        long refused = PostResult.failed(Errno.EINVAL, 0);
        var send = p.wr(1, Ibv.WR_SEND, 8);
        if (type == Ibv.QPT_UD) {
            send.ud(fixture.pd.createAh(p.attr.av), 77, 0);
        }

        assertThat(p.qp.postRecv(p.buffer(1, 0, 8))).isEqualTo(refused);
        assertThat(p.qp.postSend(send)).isEqualTo(refused);
        p.init();
        assertThat(p.qp.postRecv(p.buffer(1, 0, 8))).isEqualTo(PostResult.OK);
        assertThat(p.qp.postSend(send)).isEqualTo(refused);
        p.rtr(77);
        assertThat(p.qp.postSend(send)).isEqualTo(refused);
        p.rts();
        assertThat(p.qp.postSend(send)).isEqualTo(PostResult.OK);
    }

    @Test
    void aDestroyedQueuePairRefusesEverything() {
        Peer p = fixture.peer(Ibv.QPT_RC).init();
        assertThat(p.qp.destroy()).isZero();

        assertThat(p.qp.destroy()).isEqualTo(-Errno.EINVAL);
        assertThat(p.qp.query(new QpAttr())).isEqualTo(-Errno.EINVAL);
        assertThat(p.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isEqualTo(-Errno.EINVAL);
        assertThat(PostResult.errno(p.qp.postRecv(p.buffer(1, 0, 8)))).isEqualTo(Errno.EINVAL);
        assertThat(PostResult.errno(p.qp.postSend(p.wr(1, Ibv.WR_SEND, 8))))
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void theFirstRequestInRtrEstablishesTheConnection() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        a.rtr(b.qp.qpNum()).rts();
        b.rtr(a.qp.qpNum());
        b.recv(1, 0, 64);
        b.recv(2, 0, 64);

        a.send(a.wr(1, Ibv.WR_SEND, 8));
        a.send(a.wr(2, Ibv.WR_SEND, 8));

        assertThat(b.async).containsExactly(Ibv.EVENT_COMM_EST);
        assertThat(b.recv.poll()).hasSize(2);
        b.rts();
    }
}
