package io.loomverbs.internal.event;

/**
 * {@link System#nanoTime} to a tenth of a second, without a look at the clock: where there is no
 * vDSO that is a system call, and a wait for a device has few others. While leaders block, {@link
 * CarrierWatch} tells the time; otherwise this looks itself.
 */
final class CoarseClock {
    /** When it was told last; 0 while no thread tells. */
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
