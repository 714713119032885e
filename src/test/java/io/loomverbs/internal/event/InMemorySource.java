package io.loomverbs.internal.event;

import java.util.ArrayDeque;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Stands for the kernel: it keeps events until a thread fetches them, and a thread that waits in it
 * sees neither an unpark nor an interrupt.
 */
final class InMemorySource implements EventSource, EventFeed {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Runnable> events = new ArrayDeque<>();
    private final Leadership leadership;
    private boolean woken;
    private RuntimeException failure;
    private Error misfortune;

    /** How many threads are in {@link #await}, and the most there ever were. */
    volatile int inside;

    final AtomicInteger joined = new AtomicInteger();
    final AtomicInteger attached = new AtomicInteger();
    volatile int most;

    /** How many waits could block. */
    volatile int blocked;

    /** Thrown by every thread that joins, and by every end of a queue, if it is not null. */
    volatile Error refusal;

    /** Thrown by the next wake-up, if it is not null. */
    volatile Error ofWake;

    /** Whether that is thrown by all later ones, too. */
    volatile boolean ofEachWake;

    volatile Thread last;

    /** A virtual thread may block in it: it holds no carrier then. */
    InMemorySource() {
        this(new FixedCarriers(Carriers.Loan.SERVING));
    }

    InMemorySource(Carriers carriers) {
        this(carriers, task -> HelperThreads.unstarted("test-poller", task));
    }

    InMemorySource(Carriers carriers, ThreadFactory threads) {
        this.leadership = new Leadership(this, carriers, threads);
    }

    void add(Runnable event) {
        lock.lock();
        try {
            events.add(event);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void fail(RuntimeException cause) {
        lock.lock();
        try {
            failure = cause;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the wait of the thread that leads, and of no other. */
    void hit(Error error) {
        lock.lock();
        try {
            misfortune = error;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    int left() {
        lock.lock();
        try {
            return events.size();
        } finally {
            lock.unlock();
        }
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    public int await(long nanos, Leader leader) {
        long end = System.nanoTime() + Math.min(nanos, TimeUnit.DAYS.toNanos(1));
        boolean interrupted = false;
        lock.lock();
        try {
            inside++;
            blocked += nanos > 0 ? 1 : 0;
            most = Math.max(most, inside);
            last = Thread.currentThread();
            while (events.isEmpty() && !woken && failure == null && misfortune == null) {
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
            if (misfortune != null) {
                Error error = misfortune;
                misfortune = null;
                throw error;
            }
        } finally {
            inside--;
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
        Error met = ofWake;
        if (met != null) {
            ofWake = ofEachWake ? met : null;
            throw met;
        }
        lock.lock();
        try {
            woken = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Leadership leadership() {
        return leadership;
    }

    @Override
    public void attach(LedQueue queue) {
        attached.incrementAndGet();
    }

    @Override
    public void detach(LedQueue queue) {
        if (refusal != null) {
            throw refusal;
        }
        attached.decrementAndGet();
    }

    @Override
    public void join() {
        if (refusal != null) {
            throw refusal;
        }
        joined.incrementAndGet();
    }

    @Override
    public void leave() {
        joined.decrementAndGet();
    }

    @Override
    public boolean fetch() {
        Runnable event;
        lock.lock();
        try {
            event = events.poll();
        } finally {
            lock.unlock();
        }
        if (event != null) {
            event.run();
        }
        return event != null;
    }

    /** Waits until there is a thread in the kernel. */
    void awaitLeader() {
        eventually(() -> inside > 0, () -> "no thread leads");
    }

    /** Waits until another thread than this is in the kernel. */
    void awaitAnother(Thread thread) {
        eventually(
                () -> inside > 0 && last != thread, () -> "no thread leads instead of " + thread);
    }

    /** Waits until this thread is the one in the kernel. */
    void awaitLeader(Thread thread) {
        eventually(
                () -> inside > 0 && last == thread,
                () -> thread + " does not lead, " + last + " did last");
    }

    private static void eventually(BooleanSupplier condition, Supplier<String> problem) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > 20_000_000_000L) {
                throw new AssertionError(problem.get());
            }
            LockSupport.parkNanos(20_000);
        }
    }
}
