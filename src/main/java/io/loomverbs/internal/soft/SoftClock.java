package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcExtras;
import io.loomverbs.internal.device.WcStruct;

import java.lang.foreign.MemorySegment;
import java.time.Instant;

/** The clock of completions' timestamps, which {@link System#nanoTime} drives. */
enum SoftClock {
    /** Counts nanoseconds, in all 64 bits. */
    NANOS(1_000_000, -1, 0),
    /**
     * Like the clock of most devices, it counts other units, and wraps around after some days: a
     * program that takes its values for nanoseconds fails.
     */
    COARSE(125_000, (1L << 48) - 1, 3);

    private static final long NANOS_PER_SECOND = 1_000_000_000;

    /** The difference of the time of day to {@link System#nanoTime}. */
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

    /** Adds the times of a completion, of which one that has failed has none. */
    void put(long[] extras, MemorySegment wcs, long where, long nanoTime) {
        boolean done = WcStruct.status(wcs, where) == Ibv.WC_SUCCESS;
        WcExtras.put(
                extras,
                WcExtras.index(where),
                done ? ticks(nanoTime) : 0,
                done ? wallclock(nanoTime) : 0,
                0,
                0);
    }

    /** The clock's value at a time of {@link System#nanoTime}. */
    long ticks(long nanoTime) {
        return nanoTime >> shift & mask;
    }

    /** The time of day, in nanoseconds since 1970; it does not follow later corrections. */
    static long wallclock(long nanoTime) {
        return nanoTime + BEHIND;
    }
}
