package io.loomverbs.internal.event;

/**
 * {@link System#nanoTime} to a tenth of a second, without reading the clock: without a vDSO, that
 * is a system call, and a wait for a device makes few others. While leaders block, {@link
 * CarrierWatch} sets the time; otherwise this reads the clock itself.
 */
final class CoarseClock {
    /** The time that was set last; 0 while no thread sets it. */
    private static volatile long told;

    private CoarseClock() {}

    static long nanoTime() {
        long nanos = told;
        return nanos != 0 ? nanos : System.nanoTime();
    }

    /** Called at least ten times a second, until {@link #stop}. */
    static void tick() {
        told = System.nanoTime();
    }

    static void stop() {
        told = 0;
    }
}
