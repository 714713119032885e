package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/** One CQ's part in the delivery of events: its ledger, and the events that wait to be received. */
public final class CqEvents {
    private final Ledger ledger = new Ledger();
    private final EventQueue queue;
    private final Object owner;

    /*
     * The fields below are guarded by the queue's lock. A CQ with pending events stands in its queue's
     * list once, however many there are. While the CQ is closing they are not delivered: whoever finds
     * it listed takes it off, and the end of the close lists it again or drops them.
     */
    int pending;
    boolean listed;
    @Nullable CqEvents previous;
    @Nullable CqEvents next;

    /**
     * @param owner the object that stands for the CQ towards the application
     */
    public CqEvents(EventQueue queue, Object owner) {
        this.queue = queue;
        this.owner = owner;
    }

    public Ledger ledger() {
        return ledger;
    }

    public EventQueue queue() {
        return queue;
    }

    public Object owner() {
        return owner;
    }

    /** A completion event came up. Called by the device, from any thread; never blocks for long. */
    public void raise() {
        queue.raise(this);
    }

    /**
     * Acknowledges {@code n} events, or, if fewer are outstanding, changes nothing.
     *
     * @return {@link Ledger#ACKED}, or how many were outstanding
     */
    public int tryAck(int n) {
        int outcome = ledger.tryAck(n);
        if (outcome != Ledger.ACKED_WHEN_FULL) {
            return outcome;
        }
        queue.relist(this);
        return Ledger.ACKED;
    }

    /** Wakes another thread that waits for this CQ alone; see {@link EventQueue#passOn}. */
    public void passOn() {
        queue.passOn(this);
    }

    /**
     * Destroys the CQ once everything that was delivered is acknowledged; see {@link Ledger#close}.
     *
     * <p>Events that come up meanwhile stay pending: they are dropped when the CQ is destroyed, and
     * delivered if it is not.
     */
    public CloseOutcome close(long nanos, Closer closer) {
        try {
            return ledger.close(nanos, closer);
        } finally {
            if (ledger.isClosed()) {
                queue.drop(this);
            } else {
                queue.relist(this);
            }
        }
    }
}
