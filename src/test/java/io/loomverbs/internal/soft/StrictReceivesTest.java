package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A strict device frees the place of a receive when its completion is polled, as mlx5 does. */
@Timeout(60)
class StrictReceivesTest {
    private static final int PLACES = 2;
    private static final QpCap CAP = new QpCap(16, PLACES, 4, 4, 64);
    private static final long FULL = PostResult.failed(Errno.ENOMEM, 0);

    private final SoftFixture strict = new SoftFixture(SoftDevice.strict(SoftLimits.STRICT));
    private final Peer a = strict.peer(Ibv.QPT_RC).init();

    private Peer receiver(SrqOps srq) {
        Peer b = strict.new Peer(Ibv.QPT_RC, CAP, false, strict.cq(64), strict.cq(64), srq).init();
        SoftFixture.connect(a, b);
        return b;
    }

    /** Returns when both messages are there, and not polled. */
    private void send() {
        for (int i = 0; i < PLACES; i++) {
            a.send(a.wr(i, Ibv.WR_SEND, 8));
        }
        assertThat(a.send.many(PLACES)).allMatch(wc -> wc.status() == Ibv.WC_SUCCESS);
    }

    private static long post(Peer b) {
        return b.qp.postRecv(b.buffer(1, 0, 64));
    }

    private static void fill(Peer b) {
        for (int i = 0; i < PLACES; i++) {
            assertThat(post(b)).isEqualTo(PostResult.OK);
        }
        assertThat(post(b)).isEqualTo(FULL);
    }

    @Test
    void aPlaceIsFreeOnceItsCompletionWasPolled() {
        Peer b = receiver(null);
        fill(b);
        send();
        assertThat(post(b)).isEqualTo(FULL);
        assertThat(b.recv.poll()).hasSize(PLACES);
        fill(b);
    }

    @Test
    void aResetFreesAllPlaces() {
        Peer b = receiver(null);
        fill(b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(b.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
        b.init();
        fill(b);
    }

    private static long post(SrqOps srq, Peer b) {
        return srq.postRecv(b.buffer(1, 0, 64));
    }

    private static void fill(SrqOps srq, Peer b) {
        for (int i = 0; i < PLACES; i++) {
            assertThat(post(srq, b)).isEqualTo(PostResult.OK);
        }
        assertThat(post(srq, b)).isEqualTo(FULL);
    }

    @Test
    void soItIsInASharedQueue() {
        SrqOps srq = strict.pd.createSrq(new SrqAttr(PLACES, 4, 0), type -> {});
        Peer b = receiver(srq);
        fill(srq, b);
        send();
        assertThat(post(srq, b)).isEqualTo(FULL);
        assertThat(srq.modify(new SrqAttr(1, 0, 0), Ibv.SRQ_MAX_WR)).isEqualTo(-Errno.EINVAL);
        assertThat(b.recv.poll()).hasSize(PLACES);
        fill(srq, b);
    }

    /** What a queue pair has not had polled is lost with it, and its places are others'. */
    @Test
    void aQueuePairThatGoesLeavesThePlaces() {
        SrqOps srq = strict.pd.createSrq(new SrqAttr(PLACES, 4, 0), type -> {});
        Peer b = receiver(srq);
        fill(srq, b);
        send();
        assertThat(b.qp.destroy()).isZero();
        assertThat(b.recv.poll()).isEmpty();
        fill(srq, b);
    }

    /** As on InfiniBand. On an Ethernet port, and on soft0, the GID is enough. */
    @Test
    void aLidOfZeroLeadsNowhere() {
        for (SoftFixture f : new SoftFixture[] {strict, new SoftFixture()}) {
            Peer from = f.peer(Ibv.QPT_RC).init();
            Peer to = f.peer(Ibv.QPT_RC).init();
            long guid = f.device.guid();
            from.attr.av = new AhAttr(SoftPort.GID_HIGH, guid, true, 0, 1, 0, 0, 0, 0, 1);
            SoftFixture.connect(from, to);
            to.recv(1, 0, 64);
            from.send(from.wr(1, Ibv.WR_SEND, 8));
            assertThat(from.send.one().status())
                    .isEqualTo(f == strict ? Ibv.WC_RETRY_EXC_ERR : Ibv.WC_SUCCESS);
        }
    }
}
