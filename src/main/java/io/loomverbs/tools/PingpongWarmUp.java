package io.loomverbs.tools;

import io.loomverbs.Context;

import java.time.Duration;
import java.util.Locale;

/**
 * The round trips before those that count, after which the JVM has compiled the code. This process
 * plays both ends, so that the other end, perhaps a C program, is not involved.
 *
 * @param iters how many there were
 * @param seconds how long they took
 */
record PingpongWarmUp(int iters, double seconds) {
    /**
     * Round trips between two looks at the clock: few, since one may take 10 ms where a device in
     * software shares its processor with two threads that poll.
     */
    private static final int AT_ONCE = 32;

    /** Plays at most {@code most} round trips, and begins no more after {@code longest}. */
    static PingpongWarmUp play(Context context, PingpongPlan plan, int most, Duration longest)
            throws InterruptedException {
        long start = System.nanoTime();
        int iters = 0;
        while (iters < most && System.nanoTime() - start < longest.toNanos()) {
            int next = Math.min(AT_ONCE, most - iters);
            try {
                new Pingpong(context, plan.withIters(next), line -> {}).local();
            } catch (IllegalStateException e) {
                throw new IllegalStateException(
                        "the warm-up failed, which plays both ends here (--warm-up 0: none): "
                                + e.getMessage(),
                        e);
            }
            iters += next;
        }
        return new PingpongWarmUp(iters, (System.nanoTime() - start) / 1e9);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "warmed up with %d iters in %.2f seconds, which do not count",
                iters,
                seconds);
    }
}
