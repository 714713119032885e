package io.loomverbs.internal.event;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets the two actors of a sample go on at once. JCStress lets one run ahead of the other; then
 * windows of less than that are hardly ever met, the less so on a machine that is busy.
 */
public final class Meeting {
    /** The actor that is ahead waits that long in each sample, so that the other catches up. */
    private static final long PATIENCE_NANOS = 20_000;

    private final AtomicInteger arrived = new AtomicInteger();

    /** Waits for the other actor, but not for long: it may have no CPU. */
    public void await() {
        if (arrived.incrementAndGet() == 2) {
            return;
        }
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (arrived.get() < 2 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }
}
