package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Cq;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of outstanding work in the states ERR, SQE, SQD and RESET, and at a destroy. */
class FlushTest {
    private final SoftFixture fixture = new SoftFixture();

    /** A peer in RTS whose requests wait for a partner that does not answer. */
    private Peer waiting() {
        Peer p = fixture.peer(Ibv.QPT_RC).init();
        p.attr.timeout = 0;
        return p.rtr(5).rts();
    }

    @Test
    void everythingIsFlushedInOrderSignalledOrNot() {
        Peer p = waiting();
        for (int i = 0; i < 10; i++) {
            SendWr wr = p.wr(i, Ibv.WR_SEND, 8);
            wr.sendFlags(0);
            p.send(wr);
            p.recv(100 + i, 0, 8);
        }

        p.error();

        assertThat(p.send.poll())
                .extracting(Wc::wrId)
                .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
        assertThat(p.recv.poll())
                .hasSize(10)
                .allMatch(wc -> wc.status() == Ibv.WC_WR_FLUSH_ERR)
                .extracting(Wc::wrId)
                .startsWith(100L, 101L, 102L)
                .endsWith(109L);
        assertThat(p.async).isEmpty();
    }

    /** The second of two, with a request that waits for a buffer of the first, for 655 ms. */
    private Peer[] stalled() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        a.attr.minRnrTimer = 0;
        SoftFixture.connect(a, b);
        b.send(b.wr(1, Ibv.WR_SEND, 8));
        assertThat(b.send.poll()).isEmpty();
        return new Peer[] {a, b};
    }

    @Test
    void aReceiveThatFailsFlushesTheSendsThatWait() {
        Peer[] p = stalled();
        p[1].recv(7, 0, 4);

        p[0].send(p[0].wr(2, Ibv.WR_SEND, 8)); // longer than the buffer

        assertThat(p[1].recv.one().status()).isEqualTo(Ibv.WC_LOC_LEN_ERR);
        assertThat(p[1].send.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(tuple(1L, Ibv.WC_WR_FLUSH_ERR));
    }

    @Test
    void aPeersBadRequestFlushesTheSendsThatWait() {
        Peer[] p = stalled();
        SendWr bad = p[0].wr(2, Ibv.WR_RDMA_WRITE, 8);
        bad.rdma(p[1].memory.address(), p[1].mr.rkey() + 1);

        p[0].send(bad);

        assertThat(p[1].state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(p[1].send.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(tuple(1L, Ibv.WC_WR_FLUSH_ERR));
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC, Ibv.QPT_UD})
    void whatIsPostedInErrorIsFlushed(int type) {
        Peer p = fixture.peer(type).init().rtr(5).rts().error();
        SendWr wr = p.wr(1, Ibv.WR_SEND, 8);
        if (type == Ibv.QPT_UD) {
            wr.ud(fixture.pd.createAh(p.attr.av), 5, 0);
        }
        p.send(wr);
        p.recv(2, 0, 8);

        assertThat(p.send.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(tuple(1L, Ibv.WC_WR_FLUSH_ERR));
        assertThat(p.recv.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(tuple(2L, Ibv.WC_WR_FLUSH_ERR));
    }

    @Test
    void onASharedQueueTheCauseComesBeforeItsConsequences() {
        Cq cq = fixture.cq(64);
        Peer p = fixture.new Peer(Ibv.QPT_RC, SoftFixture.CAP, false, cq, cq);
        p.init();
        p.attr.timeout = 1;
        p.rtr(5).rts();
        p.recv(10, 0, 8);
        p.send(p.wr(1, Ibv.WR_SEND, 8));
        p.send(p.wr(2, Ibv.WR_SEND, 8));

        assertThat(cq.many(3))
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(
                        tuple(1L, Ibv.WC_RETRY_EXC_ERR),
                        tuple(10L, Ibv.WC_WR_FLUSH_ERR),
                        tuple(2L, Ibv.WC_WR_FLUSH_ERR));
    }

    @Test
    void anUnreliableSenderGoesToSqeAndStillReceives() {
        Peer[] p = fixture.pair(Ibv.QPT_UC);
        p[0].recv(7, 0, 64);
        SendWr bad = p[0].wr(1, Ibv.WR_SEND, 8);
        bad.sge(0, p[0].memory.address(), 8, p[0].mr.lkey() + 1);
        p[0].send(bad);
        p[0].send(p[0].wr(2, Ibv.WR_SEND, 8));

        assertThat(p[0].send.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(tuple(1L, Ibv.WC_LOC_PROT_ERR), tuple(2L, Ibv.WC_WR_FLUSH_ERR));
        assertThat(p[0].state()).isEqualTo(Ibv.QPS_SQE);
        p[1].send(p[1].wr(3, Ibv.WR_SEND, 8));
        assertThat(p[0].recv.one().status()).isEqualTo(Ibv.WC_SUCCESS);

        assertThat(p[0].modify(Ibv.QPS_RTS, Ibv.QP_STATE)).isZero();
        p[1].recv(8, 0, 64);
        p[0].send(p[0].wr(4, Ibv.WR_SEND, 8));
        assertThat(p[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].recv.one().wrId()).isEqualTo(8);
    }

    @Test
    void aDrainedQueueTakesRequestsAndDoesThemLater() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].recv(7, 0, 64);
        p[0].attr.enSqdAsyncNotify = 1;
        assertThat(p[0].modify(Ibv.QPS_SQD, Ibv.QP_STATE | Ibv.QP_EN_SQD_ASYNC_NOTIFY)).isZero();
        assertThat(p[0].async).containsExactly(Ibv.EVENT_SQ_DRAINED);

        p[0].send(p[0].wr(1, Ibv.WR_SEND, 8));
        assertThat(p[0].send.poll()).isEmpty();
        p[0].recv(9, 0, 64);
        p[1].send(p[1].wr(2, Ibv.WR_SEND, 8));
        assertThat(p[0].recv.one().wrId()).isEqualTo(9);

        assertThat(p[0].modify(Ibv.QPS_RTS, Ibv.QP_STATE)).isZero();
        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(1L);
        assertThat(p[0].modify(Ibv.QPS_SQD, Ibv.QP_STATE)).isZero();
        assertThat(p[0].async).hasSize(1);
    }

    @Test
    void drainingLetsTheRequestUnderWayEndAndNoOther() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[0].attr.enSqdAsyncNotify = 1;
        p[0].send(p[0].wr(1, Ibv.WR_SEND, 8));
        p[0].send(p[0].wr(2, Ibv.WR_SEND, 8));
        assertThat(p[0].modify(Ibv.QPS_SQD, Ibv.QP_STATE | Ibv.QP_EN_SQD_ASYNC_NOTIFY)).isZero();
        assertThat(p[0].async).isEmpty();
        assertThat(p[0].modify(Ibv.QPS_RTS, Ibv.QP_STATE)).isEqualTo(-Errno.EINVAL);
        QpAttr queried = new QpAttr();
        assertThat(p[0].qp.query(queried)).isZero();
        assertThat(queried.sqDraining).isOne();

        p[1].recv(7, 0, 64);
        p[1].recv(8, 0, 64);
        assertThat(p[0].qp.query(queried)).isZero();
        assertThat(queried.sqDraining).isZero();

        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(1L);
        assertThat(p[0].async).containsExactly(Ibv.EVENT_SQ_DRAINED);
        assertThat(p[0].modify(Ibv.QPS_RTS, Ibv.QP_STATE)).isZero();
        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(2L);
    }

    @Test
    void aQueueThatFailsWhileItDrainsIsNotDrained() {
        Peer p = fixture.peer(Ibv.QPT_RC).init();
        p.attr.timeout = 10;
        p.attr.retryCnt = 1;
        p.rtr(5).rts();
        p.attr.enSqdAsyncNotify = 1;
        p.send(p.wr(1, Ibv.WR_SEND, 8));
        assertThat(p.modify(Ibv.QPS_SQD, Ibv.QP_STATE | Ibv.QP_EN_SQD_ASYNC_NOTIFY)).isZero();

        assertThat(p.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);

        SoftFixture.eventually(() -> p.state() == Ibv.QPS_ERR);
        assertThat(p.async).isEmpty();
    }

    @Test
    void resetForgetsWorkWithoutACompletion() {
        Peer p = waiting();
        p.send(p.wr(1, Ibv.WR_SEND, 8));
        p.recv(2, 0, 8);

        assertThat(p.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
        p.init().rtr(5).rts().error();

        assertThat(p.send.poll()).isEmpty();
        assertThat(p.recv.poll()).isEmpty();
    }

    @Test
    void aDestroyLeavesCompletionsAndTakesWorkAlong() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].recv(7, 0, 64);
        p[1].recv(8, 0, 64);
        p[0].send(p[0].wr(1, Ibv.WR_SEND, 8));

        assertThat(p[1].qp.destroy()).isZero();
        assertThat(p[0].qp.destroy()).isZero();

        assertThat(p[1].recv.poll()).extracting(Wc::wrId).containsExactly(7L);
        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(1L);
    }

    @Test
    void aFlushUsesUpAnArmForSolicitedEvents() {
        Peer p = waiting();
        p.recv(2, 0, 8);
        assertThat(p.recv.ops.reqNotify(true)).isZero();

        p.error();

        assertThat(p.recv.events).hasValue(1);
    }
}
