package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Checks ten times a second whether virtual threads need the carriers on which leaders block, and
 * if so wakes these leaders. Sets the time of {@link CoarseClock}. It uses a platform thread, since
 * a lack of carriers keeps virtual threads from running. The thread ends when no virtual thread has
 * led for a second, or when no poller is left.
 */
final class CarrierWatch {
    static final Duration EVERY = Duration.ofMillis(100);

    /** The thread ends after this many looks without a leader. */
    private static final int IDLE_LOOKS = 10;

    private final Scheduler scheduler;
    private final Duration every;
    private final HelperThreads.Maker threads;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final Map<SchedulerCarriers, Carriers.Borrower> watched = new HashMap<>();

    /** Started when carriers seemed to be needed; alive until it has run. */
    @GuardedBy("lock")
    private @Nullable Thread probe;

    /** Whether there is a thread. Written under the lock. */
    volatile boolean on;

    CarrierWatch(Scheduler scheduler, Duration every) {
        this(scheduler, every, HelperThreads::unstarted);
    }

    CarrierWatch(Scheduler scheduler, Duration every, HelperThreads.Maker threads) {
        this.scheduler = scheduler;
        this.every = every;
        this.threads = threads;
    }

    /**
     * Whether a thread watches. A leader asks this once {@link Carriers.Borrower} says that it
     * leads.
     */
    boolean isOn() {
        return on;
    }

    /** Watches over a leader that is about to block. */
    void begin(SchedulerCarriers carriers, Carriers.Borrower borrower) {
        lock.lock();
        try {
            add(carriers, borrower);
            if (!on) {
                threads.unstarted("loomverbs-carriers", this::watch).start();
                on = true;
            }
        } catch (OutOfMemoryError e) {
            // Then there is no watch, until the next leader asks.
        } finally {
            lock.unlock();
        }
    }

    void add(SchedulerCarriers carriers, Carriers.Borrower borrower) {
        lock.lock();
        try {
            watched.put(carriers, borrower);
        } finally {
            lock.unlock();
        }
    }

    /** There is no leader any more. */
    void end(SchedulerCarriers carriers) {
        lock.lock();
        try {
            watched.remove(carriers);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void watch() {
        lock.lock();
        try {
            int idle = 0;
            while (!watched.isEmpty() && idle < IDLE_LOOKS) {
                CoarseClock.tick();
                long _ = changed.awaitNanos(every.toNanos());
                look();
                idle = isAnyBlocking() ? 0 : idle + 1;
                if (idle == IDLE_LOOKS && !end()) {
                    idle = 0;
                }
            }
        } catch (InterruptedException e) {
            // Never happens; the next leader starts another thread.
        } finally {
            CoarseClock.stop();
            on = false;
            lock.unlock();
        }
    }

    /**
     * Ends the watch unless a leader has come. It says that it leads, then looks at {@link #on}.
     */
    boolean end() {
        on = false;
        on = isAnyBlocking();
        return !on;
    }

    final boolean isAnyBlocking() {
        lock.lock();
        try {
            return watched.values().stream().anyMatch(Carriers.Borrower::isBlocking);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void look() {
        boolean missed = isMissedForLong();
        watched.forEach(
                (carriers, borrower) -> {
                    if (missed || !carriers.isUnchanged()) {
                        carriers.doubt();
                        borrower.askAgain();
                    }
                });
    }

    /*
     * On a busy machine a virtual thread is always on its way to a carrier that was woken for it,
     * which looks the same. So the watch starts one as a probe, to see whether it runs. If all
     * carriers are busy, it does not run either, since they look at external submissions last: but
     * then no carrier is missing.
     */
    @GuardedBy("lock")
    private boolean isMissedForLong() {
        boolean missed = scheduler.isMissed();
        if (probe != null && probe.isAlive()) {
            return missed;
        }
        probe = missed ? scheduler.start() : null;
        return false;
    }
}
