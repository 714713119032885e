package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.RecvWr;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The receive queue of a queue pair. Its lock is the right to act as the queue pair's responder:
 * held while a peer's request is executed here, and while the state changes. Posting does not take
 * it, so no poster waits for a copy.
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

    /**
     * In strict mode the position up to which completions were polled: only then are places free.
     * Written under the lock of the CQ, or of {@code ring} when there is nothing to poll.
     */
    private volatile int polled;

    /** A request of {@link SoftQp#srq} for the message that is being received. Under this lock. */
    private @Nullable RecvSlot taken;

    /**
     * A peer that found no buffer and is to be notified of the next one. Taken back by
     * compare-and-set, as another peer may have come since.
     */
    private volatile @Nullable SendQueue starved;

    RecvQueue(SoftQp qp, int depth) {
        this.qp = qp;
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
            flushPosted();
        }
        return result;
    }

    private long append(RecvWr first) {
        ring.lock();
        try {
            if (qp.srq != null || qp.state() <= Ibv.QPS_RESET) {
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
        int inUse = qp.device.strict ? ring.tail() + filled - polled : 0;
        RecvSlot slot = inUse < qp.cap().maxRecvWr() ? ring.claim(filled) : null;
        if (slot == null) {
            return Errno.ENOMEM;
        }
        slot.fill(wr);
        return 0;
    }

    /** The buffer that the next message gets, or null. Under this lock. */
    @Nullable RecvSlot peek() {
        SoftSrq srq = qp.srq;
        return srq == null ? ring.peek() : take(srq, null);
    }

    /**
     * The same for a queue that is not shared; else the request that was taken for this message.
     */
    @Nullable RecvSlot peekOwn() {
        return qp.srq == null ? ring.peek() : taken;
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
        SoftSrq srq = qp.srq;
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

    /**
     * The action of a strict device when the completion of the request that {@link #advance} uses
     * up next is polled: only then is its place free. Null if there is none. Under this lock.
     */
    @Nullable Runnable whenPolled() {
        if (!qp.device.strict) {
            return null;
        }
        SoftSrq srq = qp.srq;
        return srq == null ? polledUpTo(ring.head() + 1) : srq::polled;
    }

    private Runnable polledUpTo(int position) {
        return () -> polled = position;
    }

    /** Uses up the buffer of {@link #peek}. Under this lock. */
    void advance(DeferredNotifications after) {
        RecvSlot slot = taken;
        SoftSrq srq = qp.srq;
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
            SoftSrq srq = qp.srq;
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

    /** A receive request was posted in the error state. Holds no lock. */
    private void flushPosted() {
        DeferredNotifications after = new DeferredNotifications();
        try {
            lock();
            try {
                if (qp.state() == Ibv.QPS_ERR && qp.srq == null) {
                    flush(after);
                }
            } finally {
                unlock();
            }
        } finally {
            after.run();
        }
    }

    /**
     * Flushes the queue. Under this lock, in the error state. A shared one keeps its requests for
     * others, except one that was taken, and notifies its users that this queue pair takes no more.
     */
    void flush(DeferredNotifications after) {
        flushOwn(after);
        if (qp.srq != null) {
            after.tell(qp.events, Ibv.EVENT_QP_LAST_WQE_REACHED);
        }
    }

    /** The same, without notifying the users of a shared queue. */
    void flushOwn(DeferredNotifications after) {
        for (RecvSlot slot = peekOwn(); slot != null; slot = peekOwn()) {
            complete(slot, Ibv.WC_WR_FLUSH_ERR, after);
        }
    }

    /** Uses up a request and reports it. Under this lock. */
    void complete(RecvSlot slot, int status, DeferredNotifications after) {
        if (qp.pd.faults.isDeviceLost()) {
            advance(after); // nothing completes any more
            return;
        }
        SoftWc wc = after.completion().set(qp.qpNum(), slot.wrId, status, Ibv.WC_RECV, 0);
        wc.polled = whenPolled();
        try {
            advance(after);
        } finally {
            after.added(qp.recvCq, qp.recvCq.add(wc));
        }
    }

    /** Forgets everything. Under this lock, in a state that refuses further requests. */
    void discard() {
        starved = null;
        ring.lock();
        try {
            ring.clear();
            polled = ring.tail();
        } finally {
            ring.unlock();
        }
    }
}
