package io.loomverbs.internal.soft;

import java.time.Instant;

/** The clock of completions' timestamps, which {@link System#nanoTime} drives. */
enum SoftClock {
    /** Counts nanoseconds, in all 64 bits. */
    NANOS(1_000_000, -1, 0),
    /**
     * As that of most devices, it counts other units, and begins anew after some days: a program
     * that takes it for nanoseconds fails.
     */
    COARSE(125_000, (1L << 48) - 1, 3);

    private static final long NANOS_PER_SECOND = 1_000_000_000;

    /** What {@link System#nanoTime} is behind the time of day. */
    private static final long BEHIND = behind();

    final long kiloHertz;
    final long mask;
    private final int shift;

    SoftClock(long kiloHertz, long mask, int shift) {
        this.kiloHertz = kiloHertz;
        this.mask = mask;
        this.shift = shift;
    }

    private static long behind() {
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS_PER_SECOND + now.getNano() - System.nanoTime();
    }

    /** What the clock shows at a time of {@link System#nanoTime}. */
    long ticks(long nanoTime) {
        return nanoTime >> shift & mask;
    }

    /** The time of day, in nanoseconds since 1970; it does not follow later corrections. */
    static long wallclock(long nanoTime) {
        return nanoTime + BEHIND;
    }
}
