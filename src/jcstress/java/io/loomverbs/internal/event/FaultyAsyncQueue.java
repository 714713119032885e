package io.loomverbs.internal.event;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The {@link AsyncQueue} with one fault. Whatever changes there is to be changed here. */
final class FaultyAsyncQueue {
    /** What is wrong. */
    enum Fault {
        /** {@code take} looks for an event, and waits in a second critical section. */
        TAKE_IN_TWO_STEPS,
        /** {@code take} looks for the end before it has the lock. */
        END_LOOKED_FOR_FIRST,
        /** A close that failed tells nobody. */
        NO_RECHECK,
        /** An event is received whatever the ledger says. */
        LEDGER_IGNORED,
        /** Events are looked for without the lock. */
        TAKE_UNLOCKED
    }

    private final Fault fault;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<AsyncQueue.Raised> waiting = new ArrayDeque<>();
    private volatile boolean ended;

    FaultyAsyncQueue(Fault fault) {
        this.fault = fault;
    }

    void raise(AsyncQueue.Raised event) {
        lock.lock();
        try {
            if (!ended) {
                waiting.add(event);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop"}) // some of the faults
    AsyncQueue.Raised take(long nanos) throws InterruptedException {
        if (fault == Fault.TAKE_UNLOCKED) {
            return deliver();
        }
        boolean endSeen = ended;
        if (fault == Fault.END_LOOKED_FOR_FIRST) {
            pause();
        }
        lock.lockInterruptibly();
        try {
            for (long left = nanos; ; left = changed.awaitNanos(left)) {
                AsyncQueue.Raised event = deliver();
                if (event != null) {
                    return event;
                }
                if (fault == Fault.END_LOOKED_FOR_FIRST ? endSeen : ended) {
                    throw new EventQueueEndedException(null);
                }
                if (left <= 0) {
                    return null;
                }
                if (fault == Fault.TAKE_IN_TWO_STEPS) {
                    lock.unlock();
                    pause();
                    lock.lock();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    void recheck() {
        if (fault == Fault.NO_RECHECK) {
            return;
        }
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void drop(Object owner) {
        lock.lock();
        try {
            waiting.removeIf(event -> owner.equals(event.owner()));
        } finally {
            lock.unlock();
        }
    }

    void end() {
        lock.lock();
        try {
            ended = true;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private AsyncQueue.Raised deliver() {
        if (fault == Fault.TAKE_UNLOCKED) {
            AsyncQueue.Raised event = waiting.peek();
            pause();
            waiting.poll();
            return event;
        }
        for (Iterator<AsyncQueue.Raised> events = waiting.iterator(); events.hasNext(); ) {
            AsyncQueue.Raised event = events.next();
            Ledger ledger = event.ledger();
            if (fault == Fault.LEDGER_IGNORED || ledger.tryDeliverAsync()) {
                events.remove();
                return event;
            }
            if (ledger.isClosed()) {
                events.remove();
            }
        }
        return null;
    }

    /** For a thread that has just been started, at no exact time. */
    private static void pause() {
        for (int i = 0; i < 500; i++) {
            Thread.onSpinWait();
        }
    }
}
