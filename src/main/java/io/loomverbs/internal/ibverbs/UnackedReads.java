package io.loomverbs.internal.ibverbs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts the completion events of one CQ that were read from its channel but not yet acknowledged
 * to libibverbs. The destroyer acknowledges them all at once before it destroys the CQ, so that the
 * destroy does not wait. From then on a reader acknowledges each event at once.
 */
final class UnackedReads {
    /** Set while the CQ is being destroyed. */
    private static final long DESTROYING = Long.MIN_VALUE;

    private static final VarHandle READS;

    static {
        try {
            READS = MethodHandles.lookup().findVarHandle(UnackedReads.class, "reads", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long reads;

    /**
     * Counts an event that was read. False if the CQ is being destroyed: then the caller must
     * acknowledge it now.
     */
    boolean add() {
        long r;
        do {
            r = reads;
            if (r < 0) {
                return false;
            }
        } while (!READS.compareAndSet(this, r, r + 1));
        return true;
    }

    /** Begins to destroy the CQ; returns how many events to acknowledge first. */
    long close() {
        return (long) READS.getAndSet(this, DESTROYING);
    }

    /**
     * Called if the CQ was not destroyed; this many of the events that {@link #close} returned are
     * still unacknowledged.
     */
    void reopen(long unacked) {
        reads = unacked;
    }
}
