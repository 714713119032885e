package io.loomverbs.internal.ibverbs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The completion events of one CQ that were read from its channel and that libibverbs was not told
 * to be acknowledged: it is told of all at once, before the CQ is destroyed, so that its destroy
 * has nothing to wait for. From then on a reader tells it at once.
 */
final class UnackedReads {
    /** Set from the moment on at which the CQ is being destroyed. */
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

    /** An event was read. If false, the CQ is being destroyed: acknowledge it now. */
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

    /** The CQ is going to be destroyed: how many to acknowledge first. */
    long close() {
        return (long) READS.getAndSet(this, DESTROYING);
    }

    /** The CQ was not destroyed; of what {@link #close} said so many are left to acknowledge. */
    void reopen(long unacked) {
        reads = unacked;
    }
}
