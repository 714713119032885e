package io.loomverbs;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A channel with one CQ, or the CQ's own waiters, with one fault in how it is closed. */
final class FaultyChannel {
    /** What is wrong. */
    enum Fault {
        /** A waiter looks whether the channel is closed before it has the lock. */
        CLOSED_LOOKED_AT_FIRST,
        /** A close looks for waiters, and if there is none tells nobody. */
        END_IF_WAITED,
        /** An event looks whether its CQ is closed before it has the lock. */
        CQ_LOOKED_AT_FIRST
    }

    private final Fault fault;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int events;
    private volatile int waiting;
    private volatile boolean closed;
    private volatile boolean cqClosed;

    FaultyChannel(Fault fault) {
        this.fault = fault;
    }

    void raise() {
        boolean gone = cqClosed;
        pause();
        lock.lock();
        try {
            if (!(fault == Fault.CQ_LOOKED_AT_FIRST ? gone : cqClosed)) {
                events++;
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** As a word: what was received, and of what. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    String take(long nanos) throws InterruptedException {
        boolean closedBefore = closed;
        pause();
        lock.lock();
        try {
            waiting++;
            long left = nanos;
            while (events == 0) {
                if (fault == Fault.CLOSED_LOOKED_AT_FIRST ? closedBefore : closed) {
                    throw new ClosedException(this);
                }
                if (left <= 0) {
                    return null;
                }
                left = changed.awaitNanos(left);
            }
            events--;
            return cqClosed ? "event of a closed CQ" : "event";
        } finally {
            waiting--;
            lock.unlock();
        }
    }

    void closeCq() {
        lock.lock();
        try {
            cqClosed = true;
            events = 0;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        if (fault == Fault.END_IF_WAITED && waiting == 0) {
            return;
        }
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** For a thread that has just been started, at no exact time. */
    private static void pause() {
        for (int i = 0; i < 300; i++) {
            Thread.onSpinWait();
        }
    }
}
