package io.loomverbs.internal.event;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A kernel of Java: events lie in it until somebody fetches them, and who waits in it sees neither
 * an unpark nor an interrupt.
 */
final class InMemorySource implements EventSource, EventFeed, Carriers {
    private static final long DAY_NANOS = 86_400_000_000_000L;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<QueuedCq> events = new ArrayDeque<>();
    private final Leadership leadership = new Leadership(this, this, "test-poller");
    private boolean woken;
    private RuntimeException failure;

    void add(QueuedCq event) {
        lock.lock();
        try {
            events.add(event);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void fail() {
        lock.lock();
        try {
            failure = new IllegalStateException("failed");
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int await(long nanos, Leader leader) {
        long end = System.nanoTime() + Math.min(nanos, DAY_NANOS);
        boolean interrupted = false;
        lock.lock();
        try {
            while (events.isEmpty() && !woken && failure == null) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    break;
                }
                try {
                    changed.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true; // the kernel does not care
                }
            }
            woken = false;
            if (failure != null) {
                throw failure;
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        int raised = 0;
        while (leader.goesOn() && fetch()) {
            raised++;
        }
        return raised;
    }

    @Override
    public void wake() {
        lock.lock();
        try {
            woken = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean fetch() {
        QueuedCq event;
        lock.lock();
        try {
            event = events.poll();
        } finally {
            lock.unlock();
        }
        if (event != null) {
            event.raise();
        }
        return event != null;
    }

    @Override
    public Leadership leadership() {
        return leadership;
    }

    @Override
    public void attach(LedQueue queue) {}

    @Override
    public void detach(LedQueue queue) {}

    @Override
    public void join() {}

    @Override
    public void leave() {}

    @Override
    public Loan ask(Borrower borrower) {
        return Loan.SERVING; // it blocks no carrier
    }

    @Override
    public void giveBack() {}
}
