package io.loomverbs.internal.event;

/**
 * Tells a wake-up that came from one that did not.
 *
 * <p>The heart looks again by itself, when a deadline passes or, in a close, each second. So a lost
 * wake-up does not hang: it shows as a thread that came back long after what it waited for. Only
 * the time from the waker's return to the waiter's counts, so that a stalled waker proves nothing.
 */
final class Patience {
    /** Much longer than a machine that is busy needs to run a thread, and less than a second. */
    private static final long LATE_NANOS = 900_000_000L;

    private static final long FIRST_NANOS = 1_000_000_000L;
    private static final long LATER_NANOS = 1_000_000L;

    private static volatile boolean spent;

    private Patience() {}

    /** For shipped code: long enough to never end a wait. */
    static final long ENDLESS_NANOS = 60_000_000_000L;

    /** For broken twins: once a wake-up was lost there is no point in waiting that long again. */
    static long twinNanos() {
        return spent ? LATER_NANOS : FIRST_NANOS;
    }

    /**
     * Whether a waiter was not woken that came back at one time, and began to wait and was woken at
     * others. JCStress lets one actor run ahead of the other, by thousands of samples.
     */
    static boolean late(long begun, long woken, long back) {
        boolean late = back - Math.max(begun, woken) > LATE_NANOS;
        if (late) {
            spent = true;
        }
        return late;
    }
}
