package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The lists of an {@link EventQueue}, under its lock: the CQs with pending events, and the threads
 * that wait, each linked to its neighbors.
 */
abstract class ListingQueue extends LedQueue {
    /** Marks a waiter that gave up, or was stopped. */
    static final Object GAVE_UP = new Object();

    final ReentrantLock lock = new BriefLock();

    @GuardedBy("lock")
    @Nullable QueuedCq firstListed;

    @GuardedBy("lock")
    private @Nullable QueuedCq lastListed;

    @GuardedBy("lock")
    @Nullable Waiter firstWaiter;

    @GuardedBy("lock")
    private @Nullable Waiter lastWaiter;

    /** How many of the waiting threads are platform threads. */
    @GuardedBy("lock")
    int platformWaiters;

    ListingQueue() {}

    @Override
    public final List<Waiting> waiting() {
        List<Waiting> all = new ArrayList<>();
        lock.lock();
        try {
            for (Waiter w = firstWaiter; w != null; w = w.next) {
                w.addTo(all);
            }
        } finally {
            lock.unlock();
        }
        return all;
    }

    /** A waiter that can lead without waiting for a carrier, else the longest waiter. */
    @GuardedBy("lock")
    final @Nullable Waiter nextLeader() {
        Waiter waiter = firstWaiter;
        while (platformWaiters > 0 && waiter != null && waiter.isVirtual) {
            waiter = waiter.next;
        }
        return waiter;
    }

    @GuardedBy("lock")
    final void append(QueuedCq cq) {
        cq.listed = true;
        cq.previous = lastListed;
        if (lastListed == null) {
            firstListed = cq;
        } else {
            lastListed.next = cq;
        }
        lastListed = cq;
    }

    @GuardedBy("lock")
    final void remove(QueuedCq cq) {
        QueuedCq before = cq.previous;
        QueuedCq after = cq.next;
        if (before == null) {
            firstListed = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastListed = before;
        } else {
            after.previous = before;
        }
        cq.previous = null;
        cq.next = null;
        cq.listed = false;
    }

    @GuardedBy("lock")
    final void append(Waiter waiter) {
        waiter.previous = lastWaiter;
        if (lastWaiter == null) {
            firstWaiter = waiter;
        } else {
            lastWaiter.next = waiter;
        }
        lastWaiter = waiter;
        if (!waiter.isVirtual) {
            platformWaiters++;
        }
    }

    @GuardedBy("lock")
    final void remove(Waiter waiter) {
        Waiter before = waiter.previous;
        Waiter after = waiter.next;
        if (before == null) {
            firstWaiter = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastWaiter = before;
        } else {
            after.previous = before;
        }
        waiter.previous = null;
        waiter.next = null;
        if (!waiter.isVirtual) {
            platformWaiters--;
        }
    }

    /**
     * Removes the waiters with this signal, which give up.
     *
     * @return a separate list of the threads to wake
     */
    @GuardedBy("lock")
    final @Nullable Waiter removeWaiters(StopSignal stop) {
        Waiter woken = null;
        Waiter next;
        for (Waiter w = firstWaiter; w != null; w = next) {
            next = w.next;
            if (w.stop == stop) {
                remove(w);
                w.next = woken;
                w.given = GAVE_UP;
                woken = w;
            }
        }
        return woken;
    }

    /** Takes all waiters off the list, once they were given something. */
    @GuardedBy("lock")
    final void forgetWaiters() {
        firstWaiter = null;
        lastWaiter = null;
        platformWaiters = 0;
    }
}
