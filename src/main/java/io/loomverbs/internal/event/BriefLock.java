package io.loomverbs.internal.event;

import java.io.Serial;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock for sections that usually take some ten nanoseconds. A thread that finds it taken spins
 * for some microseconds before it parks: a virtual thread that parks returns at the end of its
 * carrier's queue, and to wake it costs its waker more than the whole section.
 */
final class BriefLock extends ReentrantLock {
    @Serial private static final long serialVersionUID = 1L;

    private static final int SPINS = 100;

    @Override
    public void lock() {
        for (int i = 0; i < SPINS; i++) {
            if (!isLocked() && tryLock()) {
                return;
            }
            Thread.onSpinWait();
        }
        super.lock();
    }
}
