package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One CQ's part in the delivery of events: its ledger, and the events that wait to be received. It
 * is one object, so that an event of a CQ that has left the caches brings few lines back.
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

    /** What is below it in the inbox: of who pushes it, then of who takes it in. */
    @Nullable QueuedCq below;

    /*
     * The fields that follow are guarded by the queue's lock. A CQ with pending events stands in its queue's
     * list once, however many there are. While the CQ is closing they are not delivered: whoever finds
     * it listed takes it off, and the end of the close lists it again or drops them.
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

    /** A completion event came up. Called by the device, from any thread; never blocks for long. */
    public final void raise() {
        queue.raise(this);
    }

    /** As the ledger does; and if there was no room for more events, there is now. */
    @Override
    public final int tryAck(int n) {
        int outcome = super.tryAck(n);
        if (outcome != ACKED_WHEN_FULL) {
            return outcome;
        }
        queue.relist(this);
        return ACKED;
    }

    /** Whether the caller is to put it into the inbox; else somebody has. */
    boolean tryEnterInbox() {
        return !inInbox && IN_INBOX.compareAndSet(this, false, true);
    }

    /** Who does not see it yet takes the lock. */
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
     * <p>Events that come up meanwhile stay pending: they are dropped when the CQ is destroyed, and
     * delivered if it is not.
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
