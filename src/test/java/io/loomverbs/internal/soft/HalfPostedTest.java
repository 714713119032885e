package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.FaultOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicInteger;

/** A post that ends with an Error in the middle of its chain, for lack of memory, posts nothing. */
@Timeout(60)
class HalfPostedTest {
    /** The bytes of so many entries overflow to those of none. */
    private static final int TOO_MANY = 1 << 30;

    private final SoftFixture fixture = new SoftFixture(manyEntries());
    private final Peer a = peer(null);

    private static SoftLimits manyEntries() {
        SoftLimits g = SoftLimits.GENEROUS;
        return new SoftLimits(
                g.maxQp(),
                g.maxQpWr(),
                TOO_MANY,
                g.maxInline(),
                g.maxCq(),
                g.maxCqe(),
                g.maxMr(),
                g.maxPd(),
                g.maxAh(),
                g.maxSrq(),
                g.numCompVectors());
    }

    private Peer peer(SrqOps srq) {
        QpCap cap = new QpCap(4, 4, 4, TOO_MANY, 64);
        return fixture.new Peer(Ibv.QPT_RC, cap, false, fixture.cq(64), fixture.cq(64), srq).init();
    }

    /** Two receives, of which the second cannot be copied. */
    private static RecvWr halfGood(Peer of) {
        RecvWr good = of.buffer(1, 0, 64);
        RecvWr bad = new RecvWr(TOO_MANY);
        bad.numSge(TOO_MANY);
        good.next(bad);
        return good;
    }

    @Test
    void sends() {
        Peer b = peer(null);
        SoftFixture.connect(a, b);
        FaultOps faults = fixture.context.faults();
        AtomicInteger requests = new AtomicInteger();
        faults.delay(
                number -> {
                    if (requests.getAndIncrement() == 1) {
                        throw new OutOfMemoryError("planted");
                    }
                    return 0;
                });
        SendWr first = a.rdma(1, Ibv.WR_RDMA_WRITE, 8, b);
        first.next(a.rdma(2, Ibv.WR_RDMA_WRITE, 8, b));
        assertThatThrownBy(() -> a.qp.postSend(first)).isInstanceOf(OutOfMemoryError.class);
        faults.delay(null);
        SendWr third = a.rdma(3, Ibv.WR_RDMA_WRITE, 8, b);
        third.next(a.rdma(4, Ibv.WR_RDMA_WRITE, 8, b));
        a.send(third);
        assertThat(a.send.poll()).extracting(Wc::wrId).containsExactly(3L, 4L);
        assertThat(a.state()).isEqualTo(Ibv.QPS_RTS);
    }

    @Test
    void receives() {
        Peer b = peer(null);
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThatThrownBy(() -> b.qp.postRecv(halfGood(b)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        b.recv(3, 0, 64);
        assertThat(b.recv.one().wrId()).isEqualTo(3);
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    @Test
    void receivesThatAreFlushed() {
        Peer b = peer(null).error();
        assertThatThrownBy(() -> b.qp.postRecv(halfGood(b)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        b.recv(3, 0, 64);
        assertThat(b.recv.poll()).extracting(Wc::wrId).containsExactly(3L);
    }

    @Test
    void receivesOfASharedQueue() {
        SrqOps srq = fixture.pd.createSrq(new SrqAttr(2, TOO_MANY, 0), type -> {});
        Peer b = peer(srq);
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThatThrownBy(() -> srq.postRecv(halfGood(b)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        RecvWr third = b.buffer(3, 0, 64);
        third.next(b.buffer(4, 0, 64));
        assertThat(srq.postRecv(third)).isZero();
        assertThat(b.recv.one().wrId()).isEqualTo(3);
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    /** What was filled in and not posted is filled in again, also in a longer array. */
    @Test
    void aRingGrowsInTheMiddleOfAChain() {
        SlotRing<long[]> ring = new SlotRing<>(64, () -> new long[1]);
        long next = 0;
        for (int chain = 1; chain <= 40; chain++) {
            for (int tries = 0; tries < 2; tries++) { // the first one is given up
                for (int i = 0; i < chain; i++) {
                    ring.claim(i)[0] = next + i;
                }
            }
            ring.publish(chain);
            for (int i = 0; i < chain; i++) {
                assertThat(ring.peek()[0]).isEqualTo(next++);
                ring.advance();
            }
        }
    }
}
