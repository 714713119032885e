package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits in a queue. The links are guarded by the queue's lock.
 *
 * <p>A thread that waits again in one queue may use the same object again, so that a wait allocates
 * nothing. Threads that are to be woken are linked, and the thread that wakes them follows the
 * links without a lock. So a waiter {@link #isFree} only after that thread has told it: from then
 * on no other thread reads its links. A wake-up that comes after that finds the next wait, and
 * costs it one look.
 */
final class Waiter implements EventSource.Leader {
    final Thread thread;
    private final @Nullable Leadership leadership;

    /** What the thread was given, which ends its wait; once for each, under the queue's lock. */
    volatile @Nullable Object given;

    /** Whether the thread took it itself. Used by the waiting thread only. */
    boolean tookItself;

    /** Whether the thread has fetched its event while no other waited. Its own. */
    boolean ledAlone;

    /** Whether the thread has run since it was given an event. Guarded by the queue's lock. */
    boolean hasArrived;

    /** Whether the thread that gave something has read the links for the last time. */
    private volatile boolean told;

    /** What ends the wait, if it is given; null if nothing does. Guarded by the queue's lock. */
    @Nullable StopSignal stop;

    /** When the thread came to wait, as of {@link CoarseClock}. Guarded by the queue's lock. */
    long since = CoarseClock.nanoTime();

    @Nullable Waiter previous;
    @Nullable Waiter next;

    Waiter(@Nullable Leadership leadership) {
        this(Thread.currentThread(), leadership);
    }

    Waiter(@Nullable Leadership leadership, @Nullable StopSignal stop) {
        this(Thread.currentThread(), leadership, stop);
    }

    Waiter(Thread thread, @Nullable Leadership leadership) {
        this(thread, leadership, null);
    }

    private Waiter(Thread thread, @Nullable Leadership leadership, @Nullable StopSignal stop) {
        this.thread = thread;
        this.leadership = leadership;
        this.stop = stop;
    }

    @Override
    public boolean goesOn() {
        return given == null || (leadership != null && leadership.hasFollowers());
    }

    /** Whether the thread, which was given an event, may wait with this again. */
    boolean isFree() {
        return told || tookItself;
    }

    /** Begins another wait of the same thread. Under the queue's lock. */
    void renew(@Nullable StopSignal newStop) {
        told = false;
        tookItself = false;
        hasArrived = false;
        since = CoarseClock.nanoTime();
        stop = newStop;
        previous = null;
        next = null; // it was in the list of threads to wake
    }

    /** Lets the thread go on, after it was given something. Its links were read before. */
    void wake() {
        told = true;
        if (thread != Thread.currentThread()) { // a leader gives to itself, too
            LockSupport.unpark(thread);
            if (leadership != null) {
                leadership.wakeIfLeading(this);
            }
        }
    }
}
