package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits in a queue. The links are guarded by the queue's lock.
 *
 * <p>A thread that waits again in one queue may use the same object again, so that a wait allocates
 * nothing. Threads to be woken are linked, and the thread that wakes them follows the links without
 * a lock. So a waiter {@link #isFree} only after that thread has marked it as told: from then on no
 * other thread reads its links. A wake-up that comes after that meets the next wait, and costs it
 * one look.
 *
 * <p>A waiter that is kept for the next wait does not keep its thread.
 */
final class Waiter implements EventSource.Leader {
    /** Null while it is kept for the next wait of its thread, which writes it. */
    @Nullable Thread thread;

    /** The number of the thread; never reused. */
    private final long threadId;

    final boolean isVirtual;
    private final @Nullable Leadership leadership;

    /** The object that ends the wait; written once for each wait, under the queue's lock. */
    volatile @Nullable Object given;

    /** Whether the thread took it itself. Used by the waiting thread only. */
    boolean tookItself;

    /** Whether the thread has fetched its event while no other waited. Its own. */
    boolean ledAlone;

    /** Whether the thread has run since it was given an event. Guarded by the queue's lock. */
    boolean hasArrived;

    /** Whether the thread that gave something has read the links for the last time. */
    private volatile boolean told;

    /**
     * The signal that ends the wait when it is given; null if there is none. Guarded by the queue's
     * lock.
     */
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
        this.threadId = thread.threadId();
        this.isVirtual = thread.isVirtual();
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

    /** Adds the thread to a list of those that wait. Under the queue's lock, while it is in it. */
    void addTo(List<Waiting> all) {
        Thread waiting = thread;
        if (waiting != null) {
            all.add(new Waiting(waiting, since));
        }
    }

    boolean isOf(Thread other) {
        return threadId == other.threadId();
    }

    /** Drops the thread and what it was given, until this is used again. */
    void rest() {
        thread = null;
        given = null;
    }

    /** Begins another wait of the calling thread, which is the same. Under the queue's lock. */
    void renew(@Nullable StopSignal newStop) {
        thread = Thread.currentThread();
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
        Thread waiting = thread; // before: once told, it may leave
        told = true;
        if (waiting != Thread.currentThread()) { // a leader gives to itself, too
            LockSupport.unpark(waiting);
            if (leadership != null) {
                leadership.wakeIfLeading(this);
            }
        }
    }
}
