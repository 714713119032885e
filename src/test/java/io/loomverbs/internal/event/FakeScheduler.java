package io.loomverbs.internal.event;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A scheduler of virtual threads whose state a test sets. */
final class FakeScheduler implements Scheduler {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    volatile int parallelism = 2;
    volatile int changes;
    volatile boolean limited;
    volatile boolean startsNoThread;
    volatile boolean queued;
    volatile int mounted;

    /** How often there will be no memory to look at it. */
    volatile int looksWithoutMemory;

    /** How often it was looked at. */
    final AtomicInteger looks = new AtomicInteger();

    /** Whether the threads that are started for a look do not come to run. */
    volatile boolean starves;

    /** A property of its own, as that of another JVM. */
    final String property = "loomverbs.test." + NUMBERS.incrementAndGet();

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    public int parallelism() {
        if (looksWithoutMemory > 0) {
            looksWithoutMemory--;
            throw new OutOfMemoryError("planted");
        }
        return parallelism;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    public void parallelism(int n) {
        changes++;
        if (limited) {
            throw new IllegalArgumentException("at the limit");
        }
        boolean raised = n > parallelism;
        parallelism = n;
        if (startsNoThread && raised) {
            throw new OutOfMemoryError("planted");
        }
    }

    @Override
    public boolean hasQueued() {
        looks.incrementAndGet();
        return queued;
    }

    @Override
    public int mounted() {
        return mounted;
    }

    @Override
    public Thread start() {
        Thread probe =
                Thread.startVirtualThread(
                        () -> {
                            while (starves) {
                                LockSupport.parkNanos(1_000_000);
                            }
                        });
        // On a busy machine it could come to run late, and would seem to be starved.
        while (!starves && probe.isAlive()) {
            LockSupport.parkNanos(20_000);
        }
        return probe;
    }
}
