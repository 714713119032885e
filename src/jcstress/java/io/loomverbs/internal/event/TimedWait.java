package io.loomverbs.internal.event;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** A thread that waits, threads that do what it waits for, and whether it came back in time. */
public class TimedWait {
    private volatile long begun;
    private final AtomicLong woken = new AtomicLong();
    private volatile long back;

    /** Waits in this thread. */
    public final <T> T waits(Supplier<T> wait) {
        begun = System.nanoTime();
        T result = wait.get();
        back = System.nanoTime();
        return result;
    }

    /** Waits in a virtual thread that is started for it. */
    public final <T> T waitsAsVirtual(Supplier<T> wait) {
        return waits(() -> OnVirtualThread.call(wait));
    }

    /** The same, and says whether that was late. */
    public final String waitsInTime(Supplier<?> wait) {
        return orLate(waitsAsVirtual(wait));
    }

    /** What came of a wait, and whether that was late. */
    public final String orLate(Object result) {
        return isLate() ? result + " late" : result.toString();
    }

    /** Does what the other waits for, or a part of it. */
    public final void wakes(Runnable wake) {
        wake.run();
        woken();
    }

    /** What the other waits for, or a part of it, has been done. */
    public final void woken() {
        woken.accumulateAndGet(System.nanoTime(), Math::max);
    }

    /** In a virtual thread that is started for it: as late as the other one. */
    public final void wakesAsVirtual(Runnable wake) {
        wakes(() -> OnVirtualThread.run(wake));
    }

    /** For the arbiter: "in time" or "stuck". */
    public final String inTime() {
        return isLate() ? "stuck" : "in time";
    }

    /** Whether it came back long after it was woken; not if that is still to come. */
    public final boolean isLate() {
        return Patience.late(begun, woken.get(), back);
    }
}
