package io.loomverbs.internal.soft;

import java.util.concurrent.locks.AbstractQueuedSynchronizer;

/**
 * A lock that an object carries in itself, as it would a monitor: 16 bytes, and no other object to
 * look at. Not reentrant. Held for short whiles only, in which nothing waits.
 *
 * <p>Not a monitor, since a virtual thread that waits for a monitor is woken by a thread of the
 * JVM, and what comes from there is seen by a carrier only when it has nothing else to do. A
 * virtual thread that is woken by another goes to the end of its carrier's own queue.
 */
@SuppressWarnings("serial") // never serialized, nor are subclasses
class Mutex extends AbstractQueuedSynchronizer {
    private static final int FREE = 0;
    private static final int TAKEN = 1;

    /**
     * Some microseconds: more than a critical section takes, unless its thread was taken off the
     * processor.
     */
    private static final int SPINS = 100;

    final void lock() {
        if (!compareAndSetState(FREE, TAKEN)) {
            lockLater();
        }
    }

    /*
     * A waiting thread may hold other locks, of the queue pair whose request it executes. If it
     * parked, it would return at the end of a run queue of thousands, and threads that want those
     * locks would wait with it.
     */
    private void lockLater() {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
            if (getState() == FREE && compareAndSetState(FREE, TAKEN)) {
                return;
            }
        }
        acquire(TAKEN);
    }

    final void unlock() {
        release(FREE);
    }

    /** For the superclass. */
    @Override
    protected final boolean tryAcquire(int taken) {
        return getState() == FREE && compareAndSetState(FREE, taken);
    }

    /** For the superclass. */
    @Override
    protected final boolean tryRelease(int free) {
        setState(free);
        return true;
    }

    @Override
    protected final boolean isHeldExclusively() {
        return getState() == TAKEN;
    }
}
