package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.RecvWr;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The receive queue of a queue pair. Its lock is the right to serve the queue pair as a responder:
 * held while a request of a peer is carried out here, and while the state changes. Posting does not
 * take it, so no poster waits for a copy.
 */
@SuppressWarnings("serial") // see Mutex
final class RecvQueue extends Mutex {
    private static final VarHandle STARVED;

    static {
        try {
            STARVED =
                    MethodHandles.lookup()
                            .findVarHandle(RecvQueue.class, "starved", SendQueue.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SoftQp qp;
    private final SlotRing<RecvSlot> ring;
    private final @Nullable SoftSrq srq;

    /** A request of {@link #srq} for the message that is being received. Under this lock. */
    private @Nullable RecvSlot taken;

    /**
     * A peer that found no buffer and is to be notified of the next one. By compare-and-set if it
     * is taken back, as another peer may have come since.
     */
    private volatile @Nullable SendQueue starved;

    RecvQueue(SoftQp qp, int depth) {
        this.qp = qp;
        this.srq = qp.srq;
        this.ring = new SlotRing<>(depth, RecvSlot::new);
    }

    /** A chain; if this throws, such as for lack of memory, nothing of it is posted. */
    long post(RecvWr first) {
        long result = append(first);
        // Between the new tail and the two looks below: a thread that misses the tail is seen here.
        VarHandle.fullFence();
        SendQueue peer = starved;
        if (peer != null) {
            starved = null;
            peer.kick();
        }
        if (qp.state() == Ibv.QPS_ERR) {
            qp.flushReceives();
        }
        return result;
    }

    private long append(RecvWr first) {
        ring.lock();
        try {
            if (srq != null || qp.state() <= Ibv.QPS_RESET) {
                return PostResult.failed(Errno.EINVAL, 0);
            }
            int errno = 0;
            int filled = 0;
            for (RecvWr wr = first; wr != null; wr = wr.next()) {
                errno = fill(wr, filled);
                if (errno != 0) {
                    break;
                }
                filled++;
            }
            ring.publish(filled);
            return errno == 0 ? PostResult.OK : PostResult.failed(errno, filled);
        } finally {
            ring.unlock();
        }
    }

    /** Copies a request behind {@code filled} others of its chain. */
    private int fill(RecvWr wr, int filled) {
        if (wr.numSge() < 0 || wr.numSge() > qp.cap().maxRecvSge() || wr.numSge() > wr.maxSge()) {
            return Errno.EINVAL;
        }
        RecvSlot slot = ring.claim(filled);
        if (slot == null) {
            return Errno.ENOMEM;
        }
        slot.fill(wr);
        return 0;
    }

    /** The buffer that the next message gets, or null. Under this lock. */
    @Nullable RecvSlot peek() {
        return srq == null ? ring.peek() : take(srq, null);
    }

    /** The same, of a queue that is not shared; else what was taken from that for this message. */
    @Nullable RecvSlot peekOwn() {
        return srq == null ? ring.peek() : taken;
    }

    private @Nullable RecvSlot take(SoftSrq from, @Nullable SendQueue peer) {
        RecvSlot slot = taken;
        if (slot == null) {
            slot = from.take(peer);
            taken = slot;
        }
        return slot;
    }

    /** The same, but if there is none then {@code peer} is kicked as soon as there is one. */
    @Nullable RecvSlot peekOrRemember(SendQueue peer) {
        if (srq != null) {
            return take(srq, peer);
        }
        RecvSlot slot = ring.peek();
        if (slot == null) {
            starved = peer;
            VarHandle.fullFence();
            slot = ring.peek();
        }
        return slot;
    }

    /** The peer needs no buffer any more. Any thread, under any lock. */
    void forget(SendQueue peer) {
        STARVED.compareAndSet(this, peer, null);
    }

    /** Uses up the buffer of {@link #peek}. Under this lock. */
    void advance(DeferredNotifications after) {
        RecvSlot slot = taken;
        if (srq == null || slot == null) {
            ring.advance();
            return;
        }
        taken = null;
        if (srq.used(slot)) {
            after.tell(srq.events, Ibv.EVENT_SRQ_LIMIT_REACHED);
        }
    }

    /**
     * Ends the service of one message: unlocks, and gives a shared buffer back if it was not used.
     */
    void leave(DeferredNotifications after) {
        try {
            RecvSlot slot = taken;
            if (srq != null && slot != null) {
                taken = null;
                if (srq.giveBack(slot)) {
                    after.later(srq::kickStarved);
                }
            }
        } finally {
            unlock();
        }
    }

    /** Forgets everything. Under this lock, in a state that refuses further requests. */
    void discard() {
        starved = null;
        ring.lock();
        try {
            ring.clear();
        } finally {
            ring.unlock();
        }
    }
}
