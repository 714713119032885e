package io.loomverbs.internal.event;

import java.util.concurrent.atomic.AtomicInteger;

/** Destroys nothing, and remembers that it did. */
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

    /** A close that waits for everything that is held, and is not refused. */
    static CloseOutcome closes(Ledger ledger) {
        return ledger.close(Patience.nanos(), destroying());
    }

    /** What came of a close; a ledger whose state was overwritten throws. */
    Object close(Ledger ledger, long nanos) {
        try {
            return ledger.close(nanos, this);
        } catch (IllegalStateException e) {
            return e;
        }
    }

    @Override
    public boolean destroy() {
        Taking.pauseUpTo(DESTROYING_NANOS);
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
