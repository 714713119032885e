package io.loomverbs.internal.event;

import java.util.concurrent.atomic.AtomicInteger;

/** Destroys nothing, and remembers that it did. */
class TestCloser implements Closer {
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
