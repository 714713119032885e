package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.soft.SoftFixture.Cq;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** Completion queues: order, arms, overrun, destruction. */
class CqTest {
    private final SoftFixture fixture = new SoftFixture();
    private final MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 64L, 8);

    private static int add(CqOps cq, long wrId, int status, boolean solicited) {
        SoftWc wc = new SoftWc().set(3, wrId, status, Ibv.WC_RECV, 1);
        wc.immData = 2;
        wc.srcQp = 4;
        wc.wcFlags = 1;
        wc.slid = 0xffff;
        wc.solicited = solicited;
        return ((SoftCq) cq).add(wc);
    }

    private static int add(CqOps cq, long wrId) {
        return add(cq, wrId, Ibv.WC_SUCCESS, false);
    }

    @Test
    void completionsComeOutWholeAndInOrderHoweverTheRingTurnsAndGrows() {
        Cq cq = fixture.cq(1000);
        long in = 0;
        long out = 0;
        for (int round = 0; round < 200; round++) {
            for (int i = 0; i < 1 + round % 11; i++) {
                assertThat(add(cq.ops, in++)).isZero();
            }
            int n = cq.ops.poll(wcs, WcStruct.BYTES, 1 + round % 5);
            for (int i = 0; i < n; i++) {
                assertThat(Wc.at(wcs, (i + 1L) * WcStruct.BYTES))
                        .isEqualTo(
                                new Wc(
                                        out++,
                                        Ibv.WC_SUCCESS,
                                        Ibv.WC_RECV,
                                        1,
                                        2,
                                        3,
                                        4,
                                        Ibv.WC_GRH,
                                        0xffff));
            }
        }
        assertThat(cq.poll()).hasSize((int) (in - out)).first().extracting(Wc::wrId).isEqualTo(out);
    }

    @Test
    void pollMovesNoMoreThanAskedFor() {
        Cq cq = fixture.cq(10);
        add(cq.ops, 1);
        add(cq.ops, 2);

        assertThat(cq.ops.poll(wcs, 0, 0)).isZero();
        assertThat(cq.ops.poll(wcs, 0, 1)).isEqualTo(1);
        assertThat(cq.ops.poll(wcs, 0, 5)).isEqualTo(1);
        assertThat(cq.ops.poll(wcs, 0, 5)).isZero();
    }

    /** The first arm, the second arm if any, the completion; whether it fires. */
    @ParameterizedTest
    @CsvSource({
        "none, none, error, false",
        "all, none, plain, true",
        "all, none, solicited, true",
        "all, none, error, true",
        "solicited, none, plain, false",
        "solicited, none, solicited, true",
        "solicited, none, error, true",
        "solicited, all, plain, true",
        "all, solicited, plain, true",
        "solicited, solicited, plain, false"
    })
    void armsOnlyStrengthen(String first, String second, String kind, boolean fires) {
        Cq cq = fixture.cq(10);
        for (String arm : new String[] {first, second}) {
            if (!arm.equals("none")) {
                assertThat(cq.ops.reqNotify(arm.equals("solicited"))).isZero();
            }
        }
        int status = kind.equals("error") ? Ibv.WC_WR_FLUSH_ERR : Ibv.WC_SUCCESS;

        int result = add(cq.ops, 1, status, kind.equals("solicited"));

        assertThat(result).isEqualTo(fires ? SoftCq.FIRED : 0);
    }

    @Test
    void anArmIsUsedUpByWhatFiresItAndByNothingElse() {
        Cq cq = fixture.cq(10);
        add(cq.ops, 1);
        cq.ops.reqNotify(true);
        assertThat(add(cq.ops, 2)).isZero();
        assertThat(add(cq.ops, 3, Ibv.WC_SUCCESS, true)).isEqualTo(SoftCq.FIRED);
        assertThat(add(cq.ops, 4, Ibv.WC_SUCCESS, true)).isZero();
        cq.ops.reqNotify(false);
        assertThat(add(cq.ops, 5)).isEqualTo(SoftCq.FIRED);
    }

    @Test
    void onlyReceiversOfSolicitedMessagesAreSolicited() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].recv(1, 0, 64);
        p[1].recv(2, 0, 64);
        p[0].send.ops.reqNotify(true);
        p[1].recv.ops.reqNotify(true);

        p[0].send(p[0].wr(1, Ibv.WR_SEND, 8));
        assertThat(p[1].recv.events).hasValue(0);
        SendWr wr = p[0].wr(2, Ibv.WR_SEND, 8);
        wr.sendFlags(Ibv.SEND_SIGNALED | Ibv.SEND_SOLICITED);
        p[0].send(wr);

        assertThat(p[1].recv.events).hasValue(1);
        assertThat(p[0].send.events).hasValue(0);
    }

    @Test
    void anOverrunIsToldOnceAndTakesTheQueuePairsAlong() {
        Cq tiny = fixture.cq(2);
        Peer a = fixture.new Peer(Ibv.QPT_RC, SoftFixture.CAP, true, tiny, fixture.cq(64)).init();
        Peer bystander =
                fixture.new Peer(Ibv.QPT_RC, SoftFixture.CAP, true, fixture.cq(4), tiny).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        SoftFixture.connect(a, b);
        for (int i = 0; i < 5; i++) {
            b.recv(i, 0, 8);
        }

        for (int i = 0; i < 5; i++) {
            a.send(a.wr(i, Ibv.WR_SEND, 8));
        }

        assertThat(tiny.async).containsExactly(Ibv.EVENT_CQ_ERR);
        assertThat(a.async).containsExactly(Ibv.EVENT_QP_FATAL);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(bystander.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
        assertThat(tiny.poll()).extracting(Wc::wrId).containsExactly(0L, 1L);
        assertThat(tiny.ops.poll(wcs, 0, 1)).isEqualTo(-Errno.EIO);
        assertThat(add(tiny.ops, 9, Ibv.WC_WR_FLUSH_ERR, false)).isZero();
        assertThat(tiny.ops.poll(wcs, 0, 1)).isEqualTo(-Errno.EIO);
    }

    @Test
    void whoGoesOnUsingAnOverrunQueueFails() {
        Cq tiny = fixture.cq(1);
        add(tiny.ops, 1);
        add(tiny.ops, 2);
        Peer a = fixture.new Peer(Ibv.QPT_RC, SoftFixture.CAP, true, tiny, fixture.cq(4)).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        SoftFixture.connect(a, b);
        b.recv(1, 0, 8);

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.async).containsExactly(Ibv.EVENT_QP_FATAL);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
    }

    @Test
    void aQueueInUseIsBusy() {
        Cq cq = fixture.cq(4);
        Peer p = fixture.new Peer(Ibv.QPT_UD, SoftFixture.CAP, true, cq, cq);

        assertThat(cq.ops.destroy()).isEqualTo(-Errno.EBUSY);
        assertThat(p.qp.destroy()).isZero();
        assertThat(cq.ops.destroy()).isZero();
        assertThat(cq.ops.destroy()).isEqualTo(-Errno.EINVAL);
        assertThat(cq.ops.reqNotify(false)).isEqualTo(-Errno.EINVAL);
        assertThat(cq.ops.poll(wcs, 0, 1)).isZero();
        assertThatThrownBy(() -> fixture.new Peer(Ibv.QPT_UD, SoftFixture.CAP, true, cq, cq))
                .isInstanceOf(DeviceException.class);
    }

    @Test
    void aChannelInUseIsBusy() {
        ChannelOps channel = fixture.context.createCompChannel();
        CqOps cq = fixture.context.createCq(1, channel, 0, new Cq());

        assertThat(channel.destroy()).isEqualTo(-Errno.EBUSY);
        assertThat(cq.destroy()).isZero();
        assertThat(channel.destroy()).isZero();
        assertThat(channel.destroy()).isEqualTo(-Errno.EINVAL);
        assertThatThrownBy(() -> fixture.context.createCq(1, channel, 0, new Cq()))
                .isInstanceOf(DeviceException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1000})
    void aQueueIsAsLargeAsAskedFor(int cqe) {
        assertThat(fixture.cq(cqe).ops.cqe()).isEqualTo(cqe);
    }

    /** An event that was delayed is told again, too: the arm is used up. */
    @Test
    void aDelayedEventIsToldAgainIfThereIsNoMemory() {
        AtomicInteger tries = new AtomicInteger();
        Runnable unlucky =
                () -> {
                    if (tries.incrementAndGet() < 3) {
                        throw new OutOfMemoryError("planted");
                    }
                };
        CqOps cq = fixture.context.createCq(8, null, 0, SoftFixture.told(unlucky));
        cq.reqNotify(false);
        assertThat(cq.moderate(100, 1000)).isZero();
        add(cq, 1);
        SoftFixture.eventually(() -> tries.get() == 3);
        cq.reqNotify(false);
        add(cq, 2);
        tries.set(0);
        assertThat(cq.moderate(0, 0)).as("nothing is delayed any more").isZero();
        assertThat(tries).hasValue(3);
    }
}
