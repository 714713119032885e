package io.loomverbs.internal.soft;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts the users of an object, which can be retired only while there are none. */
final class RefCount {
    private static final int RETIRED = -1;

    /** How many; or RETIRED, which is final. */
    private final AtomicInteger count = new AtomicInteger();

    /** Adds a user unless the object was retired. */
    boolean add() {
        for (int n = count.get(); n != RETIRED; n = count.get()) {
            if (count.compareAndSet(n, n + 1)) {
                return true;
            }
        }
        return false;
    }

    void remove() {
        count.decrementAndGet();
    }

    /** Retires the object: true for one caller, and only while there are no users. */
    boolean retire() {
        return count.compareAndSet(0, RETIRED);
    }

    boolean retired() {
        return count.get() == RETIRED;
    }
}
