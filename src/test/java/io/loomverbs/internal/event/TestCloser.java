package io.loomverbs.internal.event;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Destroys nothing, or refuses to, and remembers how often it did. It never gives up a wait. */
class TestCloser implements Closer {
    /** Long enough for others to come meanwhile. */
    private static final int DESTROYING_NANOS = 10_000;

    private final boolean refuse;
    private final AtomicInteger destroyed = new AtomicInteger();

    TestCloser(boolean refuse) {
        this.refuse = refuse;
    }

    /** Says yes. */
    static TestCloser destroying() {
        return new TestCloser(false);
    }

    /** Says no, as a device does with EBUSY. */
    static TestCloser refusing() {
        return new TestCloser(true);
    }

    @Override
    public boolean destroy() {
        long end = System.nanoTime() + ThreadLocalRandom.current().nextInt(DESTROYING_NANOS);
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        if (refuse) {
            return false;
        }
        destroyed.incrementAndGet();
        return true;
    }

    @Override
    public boolean keepWaiting(long waitedNanos) {
        return true;
    }

    int destroyed() {
        return destroyed.get();
    }
}
