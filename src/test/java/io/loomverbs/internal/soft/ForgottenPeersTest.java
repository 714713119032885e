package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.ref.WeakReference;

/** A sender without a receive at its peer: neither keeps the other once that is destroyed. */
@Timeout(60)
class ForgottenPeersTest {
    private static final int RNR_655_MS = 0;

    private final SoftFixture fixture = new SoftFixture();

    private Peer stalled(Peer at) {
        Peer sender = fixture.peer(Ibv.QPT_RC).init();
        SoftFixture.connect(sender, at);
        sender.send(sender.wr(1, Ibv.WR_SEND, 8));
        assertThat(sender.send.poll()).isEmpty();
        return sender;
    }

    private static void isForgotten(WeakReference<?> object) {
        SoftFixture.eventually(
                () -> {
                    System.gc();
                    return object.get() == null;
                });
    }

    @Test
    void aSenderThatIsDestroyed() {
        Peer receiver = fixture.peer(Ibv.QPT_RC).init();
        isForgotten(destroyed(stalled(receiver)));
        assertThat(receiver.state()).isEqualTo(Ibv.QPS_RTS);
    }

    private static WeakReference<?> destroyed(Peer sender) {
        assertThat(sender.qp.destroy()).isZero();
        return new WeakReference<>(sender.qp);
    }

    /** Another sender has come meanwhile, and is told. */
    @Test
    void aSenderThatIsDestroyedLaterThanTheNextHasStalled() {
        Peer receiver = fixture.peer(Ibv.QPT_RC).init();
        Peer first = stalled(receiver);
        assertThat(receiver.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
        receiver.init();
        Peer next = fixture.peer(Ibv.QPT_RC).init();
        receiver.attr.minRnrTimer = RNR_655_MS;
        SoftFixture.connect(next, receiver);
        next.send(next.wr(1, Ibv.WR_SEND, 8));
        assertThat(first.qp.destroy()).isZero();
        receiver.recv(7, 0, 64);
        assertThat(next.send.poll()).as("at once").hasSize(1);
    }

    @Test
    void aSharedQueueThatIsDestroyed() {
        Peer sender = stalled(fixture.peer(Ibv.QPT_RC, srq()).init());
        isForgotten(destroyed(((SoftQp) sender.qp).attr.destQpNum));
        assertThat(sender.qp.isDestroyed()).isFalse();
    }

    private SrqOps srq() {
        return fixture.pd.createSrq(new SrqAttr(4, 4, 0), type -> {});
    }

    /** Destroys a queue pair, and then the shared queue that it used. */
    private WeakReference<?> destroyed(int receiver) {
        SoftQp qp = fixture.device.qps.find(receiver);
        assertThat(qp.destroy()).isZero();
        assertThat(qp.srq.destroy()).isZero();
        return new WeakReference<>(qp.srq);
    }
}
