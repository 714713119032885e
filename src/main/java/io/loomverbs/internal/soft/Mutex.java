package io.loomverbs.internal.soft;

import java.util.concurrent.locks.AbstractQueuedSynchronizer;

/**
 * A lock inside an object, like a monitor: 16 bytes, and no indirection. Not reentrant. It is held
 * only briefly, and its holder does not wait.
 *
 * <p>It is not a monitor: a thread of the JVM wakes virtual threads that wait for monitors, and a
 * carrier sees these wake-ups only when it has nothing else to do. A virtual thread that another
 * virtual thread wakes goes to the end of the carrier's own queue.
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
