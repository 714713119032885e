package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Where asynchronous events wait to be received. They are rare: one lock and one condition do. */
public final class AsyncQueue {
    /**
     * An event that came up.
     *
     * @param owner the object it belongs to, or null for one of the device or a port
     * @param ledger the ledger of that object, in which it counts once it is received
     */
    public record Raised(int type, int port, @Nullable Object owner, @Nullable Ledger ledger) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final ArrayDeque<Raised> waiting = new ArrayDeque<>();

    @GuardedBy("lock")
    private boolean ended;

    public void raise(Raised event) {
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

    /**
     * Receives the next event, waiting for at most {@code nanos}; null if none came. Events of an
     * object that is being destroyed stay until that has succeeded or failed.
     *
     * @throws EventQueueEndedException if the queue was closed
     */
    public @Nullable Raised take(long nanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = nanos;
            for (; ; ) {
                Raised event = deliver();
                if (event != null) {
                    return event;
                }
                if (ended) {
                    throw new EventQueueEndedException(null);
                }
                if (left <= 0) {
                    return null;
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The close of some object has failed: its events may be received again. */
    public void recheck() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** {@code owner} is destroyed: its events that were not received go with it. */
    public void drop(Object owner) {
        lock.lock();
        try {
            if (!waiting.isEmpty()) {
                waiting.removeIf(event -> owner.equals(event.owner()));
            }
        } finally {
            lock.unlock();
        }
    }

    /** No more events come: wakes every waiter, now and later. */
    public void end() {
        lock.lock();
        try {
            ended = true;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private @Nullable Raised deliver() {
        for (Iterator<Raised> events = waiting.iterator(); events.hasNext(); ) {
            Raised event = events.next();
            Ledger ledger = event.ledger();
            if (ledger == null || ledger.tryDeliverAsync()) {
                events.remove();
                return event;
            }
            if (ledger.isClosed()) {
                events.remove();
            }
        }
        return null;
    }
}
