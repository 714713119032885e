package io.loomverbs.blocking;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Waiters in the order of their arrival. Only a thread that is about to park, or has been parked,
 * takes the lock, for a few instructions.
 */
final class WaitList {
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private @Nullable Parked oldest;

    @GuardedBy("lock")
    private @Nullable Parked newest;

    /** Written under the lock. */
    private volatile boolean empty = true;

    boolean isEmpty() {
        return empty;
    }

    void add(Parked waiter) {
        lock.lock();
        try {
            waiter.older = newest;
            waiter.newer = null;
            if (newest == null) {
                oldest = waiter;
            } else {
                newest.newer = waiter;
            }
            newest = waiter;
            waiter.listed = true;
            empty = false;
        } finally {
            lock.unlock();
        }
    }

    /** Takes a waiter off the list; does nothing if it is not on it. */
    void remove(Parked waiter) {
        lock.lock();
        try {
            if (!waiter.listed) {
                return;
            }
            Parked before = waiter.older;
            Parked after = waiter.newer;
            if (before == null) {
                oldest = after;
            } else {
                before.newer = after;
            }
            if (after == null) {
                newest = before;
            } else {
                after.older = before;
            }
            waiter.older = null;
            waiter.newer = null;
            waiter.listed = false;
            empty = oldest == null;
        } finally {
            lock.unlock();
        }
    }

    /** Wakes the longest waiters, which stay on the list. */
    void wakeOldest(long most) {
        lock.lock();
        try {
            long left = most;
            for (Parked w = oldest; w != null && left > 0; w = w.newer) {
                w.wake();
                left--;
            }
        } finally {
            lock.unlock();
        }
    }

    /** The waiters now, the longest waiter first. */
    List<Parked> all() {
        List<Parked> all = new ArrayList<>();
        lock.lock();
        try {
            for (Parked w = oldest; w != null; w = w.newer) {
                all.add(w);
            }
        } finally {
            lock.unlock();
        }
        return all;
    }

    void wakeAll() {
        wakeOldest(Long.MAX_VALUE);
    }
}
