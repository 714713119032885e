package io.loomverbs.internal.event;

import java.time.Duration;

/**
 * Tells a wake-up that came from one that did not.
 *
 * <p>The core looks again by itself, when a deadline passes or, in a close, each second. So a lost
 * wake-up does not hang: it shows as a thread that came back long after what it waited for. Only
 * the time from the waker's return to the waiter's counts, so that a stalled waker proves nothing.
 *
 * <p>Nor does a stalled machine. A virtual thread does nothing but sleep, and notes when it sleeps
 * too long: a wait during which no thread got a CPU is not held against the code.
 */
public final class Patience {
    /** Much longer than a machine that is busy needs to run a thread, and less than a second. */
    private static final long LATE_NANOS = 900_000_000L;

    /** For shipped code: long enough to never end a wait. */
    private static final long ENDLESS_NANOS = 60_000_000_000L;

    private static final long FIRST_NANOS = 1_200_000_000L;
    private static final long ALL_NANOS = 1_500_000_000L;
    private static final long LATER_NANOS = 20_000_000L;
    private static final long BEAT_MILLIS = 20;
    private static final long STALL_NANOS = 300_000_000L;

    private static volatile boolean latenessExpected;
    private static volatile long expectedSince;
    private static volatile long lastBeat = System.nanoTime();
    private static volatile long lastStall = lastBeat - LATE_NANOS;

    static {
        Thread.ofVirtual().start(Patience::beat);
    }

    private Patience() {}

    /**
     * How long to wait for what must come. Where a fault is planted that loses wake-ups there is no
     * point in waiting so long for each.
     */
    public static long nanos() {
        if (!latenessExpected) {
            return ENDLESS_NANOS;
        }
        return System.nanoTime() - expectedSince < ALL_NANOS ? FIRST_NANOS : LATER_NANOS;
    }

    /** The same for methods of the API. */
    public static Duration time() {
        return Duration.ofNanos(nanos());
    }

    /** Whether the samples that come next are expected to lose wake-ups. */
    public static void expectLateness(boolean expected) {
        expectedSince = System.nanoTime();
        latenessExpected = expected;
    }

    /**
     * Whether a waiter was not woken that came back at one time, and began to wait and was woken at
     * others. JCStress lets one actor run ahead of the other, by thousands of samples.
     */
    public static boolean late(long begun, long woken, long back) {
        long due = Math.max(begun, woken);
        return back - due > LATE_NANOS && !stalledSince(due);
    }

    private static boolean stalledSince(long time) {
        return lastStall - time > 0 || System.nanoTime() - lastBeat > STALL_NANOS;
    }

    private static void beat() {
        for (; ; ) {
            try {
                Thread.sleep(BEAT_MILLIS);
            } catch (InterruptedException e) {
                throw new AssertionError("no thread interrupts the beat", e);
            }
            long now = System.nanoTime();
            if (now - lastBeat > STALL_NANOS) {
                lastStall = now;
            }
            lastBeat = now;
        }
    }
}
