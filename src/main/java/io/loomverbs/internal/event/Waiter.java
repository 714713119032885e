package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/** A thread that waits in a queue. The links are guarded by the queue's lock. */
final class Waiter implements EventSource.Leader {
    final Thread thread;
    private final @Nullable Leadership leadership;

    /** What the thread was given, which ends its wait; written once, under the queue's lock. */
    volatile @Nullable Object given;

    /** Whether the thread took it itself. Used by the waiting thread only. */
    boolean tookItself;

    /** Whether the thread has run since it was given an event. Guarded by the queue's lock. */
    boolean hasArrived;

    /** What ends the wait, if it is given; null if nothing does. */
    final @Nullable StopSignal stop;

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

    /** Lets the thread go on, after it was given something. */
    void wake() {
        if (thread != Thread.currentThread()) { // a leader gives to itself, too
            LockSupport.unpark(thread);
            if (leadership != null) {
                leadership.wakeIfLeading(this);
            }
        }
    }
}
