package io.loomverbs;

import io.loomverbs.internal.device.Setting;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Turns;

import org.jspecify.annotations.Nullable;

/** The turns of all virtual threads that wait for events. */
final class Fairness {
    /*
     * A thread that finds its completions by polling never parks. Two such threads that answer each
     * other on two carriers would keep the threads in the carriers' own queues from running. Turns
     * notice this, but not for some seconds after they were dissolved, and they can be turned off.
     * So in one of WAITS waits a thread lets those in its carrier's queue run first.
     */
    /** A power of two. This many waits that end by polling take some hundred microseconds. */
    private static final int WAITS = 256;

    /** Null if they take none. Not final: a test has turns of its own. */
    private static @Nullable Turns turns = Setting.FAIR.isTrue() ? new Turns() : null;

    private Fairness() {}

    /**
     * Lets others come first, if necessary. To be called by a thread that is about to wait and is
     * in no queue.
     *
     * @param nanos for how long it may wait at most, from now on
     * @return how long is left of that
     */
    static long before(EventQueue queue, long nanos) {
        int waits = queue.countWait();
        long left = (waits & (WAITS - 1)) == 0 ? stepAside(nanos) : nanos;
        Turns all = turns;
        return all == null ? left : all.before(queue, waits, left);
    }

    @SuppressWarnings("ThreadPriorityCheck") // lets others run, not a hint
    private static long stepAside(long nanos) {
        if (nanos <= 0 || !Thread.currentThread().isVirtual()) {
            return nanos;
        }
        boolean timed = nanos != Long.MAX_VALUE;
        long start = timed ? System.nanoTime() : 0;
        Thread.yield();
        return timed ? nanos - (System.nanoTime() - start) : nanos;
    }
}
