package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One CQ's part in the delivery of events: its ledger, and the events that wait to be received. It
 * is one object, so that an event of a CQ that has left the caches loads few cache lines.
 */
public class QueuedCq extends Ledger {
    private static final VarHandle IN_INBOX;

    static {
        try {
            IN_INBOX =
                    MethodHandles.lookup().findVarHandle(QueuedCq.class, "inInbox", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EventQueue queue;

    /** Whether it is in the queue's inbox, with an event that is not counted as pending yet. */
    private volatile boolean inInbox;

    /**
     * The CQ below it in the inbox. Owned by the thread that pushes it, then by the one that takes
     * it in.
     */
    @Nullable QueuedCq below;

    /*
     * The fields that follow are guarded by the queue's lock. A CQ with pending events is in its
     * queue's list once, however many there are. While the CQ is closing they are not delivered: a
     * thread that finds it listed takes it off, and the end of the close lists it again or drops
     * the events.
     */
    int pending;
    boolean listed;
    @Nullable QueuedCq previous;
    @Nullable QueuedCq next;

    public QueuedCq(EventQueue queue) {
        this.queue = queue;
    }

    public final EventQueue queue() {
        return queue;
    }

    /** Raises a completion event. Called by the device, from any thread; never blocks for long. */
    public final void raise() {
        queue.raise(this);
    }

    /** Like that of the ledger; and lists the CQ again if its count was full. */
    @Override
    public final int tryAck(int n) {
        int outcome = super.tryAck(n);
        if (outcome != ACKED_WHEN_FULL) {
            return outcome;
        }
        relist();
        return ACKED;
    }

    /** The acknowledgement stands: an Error here does not undo it. */
    private void relist() {
        for (int tries = 1; tries <= LedQueue.MOST_TRIES; tries++) {
            try {
                queue.relist(this);
                return;
            } catch (Error e) {
                // Such as no stack. What is pending is listed with the next event at the latest.
            }
        }
    }

    /** Whether the caller must put it into the inbox; false if it is there already. */
    boolean tryEnterInbox() {
        return !inInbox && IN_INBOX.compareAndSet(this, false, true);
    }

    /** Whether it is in the inbox, with an event that is not counted as pending yet. */
    boolean isInInbox() {
        return inInbox;
    }

    /** A raiser that misses this write takes the lock. */
    void leaveInbox() {
        IN_INBOX.setRelease(this, false);
    }

    /** Wakes another thread that waits for this CQ alone; see {@link EventQueue#passOn}. */
    public final void passOn() {
        queue.passOn(this);
    }

    /**
     * Destroys the CQ once everything that was delivered is acknowledged; see {@link Ledger#close}.
     *
     * <p>Events that are raised meanwhile stay pending: they are dropped when the CQ is destroyed,
     * and delivered if it is not.
     */
    @Override
    public final CloseOutcome close(long nanos, Closer closer) {
        try {
            return super.close(nanos, closer);
        } finally {
            if (isClosed()) {
                queue.drop(this);
            } else {
                queue.relist(this);
            }
        }
    }
}
