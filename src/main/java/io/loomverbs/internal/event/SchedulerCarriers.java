package io.loomverbs.internal.event;

import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Raises the parallelism of the JDK's virtual thread scheduler by one for each thread that blocks,
 * and lowers it again.
 *
 * <p>Not at once: what is given back is kept for a while, for the next who borrows. To raise the
 * parallelism has the JDK start a virtual thread if it has fewer carriers than that, as it has
 * where processors are many, and whoever is lent a carrier that serves already need not look
 * whether it does.
 *
 * <p>Somebody else may set the parallelism too. If it is not what was left here while something is
 * lent, it is left alone from then on, and nothing is lent any more. That is logged, once.
 */
public final class SchedulerCarriers implements Carriers {
    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");
    private static final Duration KEPT = Duration.ofMillis(100);
    private static final SchedulerCarriers INSTANCE = new SchedulerCarriers(Scheduler.find(), KEPT);

    /** Null if the module jdk.management is not there. */
    private final @Nullable Scheduler scheduler;

    private final Duration kept;
    private final ReentrantLock lock = new ReentrantLock();

    /** Where those wait who have borrowed one. */
    @GuardedBy("lock")
    private final List<EventSource> lent = new ArrayList<>();

    /** How many were given back, for which the parallelism is raised still. */
    @GuardedBy("lock")
    private int spare;

    /** Whether one was borrowed or given back since {@link #watch} looked last. */
    @GuardedBy("lock")
    private boolean used;

    @GuardedBy("lock")
    private @Nullable Thread watcher;

    /** Whether the watcher waits for the first loan, at {@link #firstLoan}. */
    @GuardedBy("lock")
    private boolean idle;

    private final Condition firstLoan = lock.newCondition();

    /** Whether all that was raised serves. */
    @GuardedBy("lock")
    private boolean serving;

    /** Whether nothing is lent any more. */
    @GuardedBy("lock")
    private boolean refuses;

    /** What the parallelism is while something is lent or spare, if nobody else has changed it. */
    @GuardedBy("lock")
    private int raisedTo;

    /** What there is to raise. */
    interface Scheduler {
        int parallelism();

        void parallelism(int n);

        /** Whether virtual threads wait for a carrier. */
        boolean hasQueued();

        /**
         * How many carriers run a virtual thread, look for one to run, or are being started. One
         * that blocks in the JDK, and is made up for, is not counted.
         */
        int mounted();

        /** The JDK's; null if the module jdk.management is not there. */
        static @Nullable Scheduler find() {
            try {
                return new OfJdk();
            } catch (LinkageError | RuntimeException e) {
                return null;
            }
        }
    }

    /**
     * @param kept how long what was given back is kept, if nobody borrows
     */
    SchedulerCarriers(@Nullable Scheduler scheduler, Duration kept) {
        this.scheduler = scheduler;
        this.kept = kept;
    }

    /** There is one scheduler in a JVM, so one who counts. */
    public static Carriers get() {
        return INSTANCE;
    }

    @Override
    public Loan borrow(EventSource source) {
        lock.lock();
        try {
            if (refuses) {
                return Loan.REFUSED;
            }
            if (scheduler == null) {
                return refuse("the module jdk.management is not there");
            }
            int now = scheduler.parallelism();
            if (now != raisedTo) {
                if (!lent.isEmpty()) {
                    return refuse("somebody else has changed the parallelism of virtual threads");
                }
                spare = 0;
            }
            lent.add(source);
            boolean counted = false;
            try {
                Loan loan = count(scheduler, now);
                counted = loan != Loan.REFUSED;
                return loan;
            } finally {
                if (!counted) {
                    lent.remove(source);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private Loan count(Scheduler scheduler, int now) {
        beWatched();
        used = true;
        if (spare > 0) {
            spare--;
            return serving ? Loan.SERVING : Loan.COMING;
        }
        try {
            raise(scheduler, now + 1);
        } catch (RuntimeException e) { // at the limit, or not supported
            return refuse("the parallelism of virtual threads cannot be raised: " + e);
        }
        raisedTo = now + 1;
        serving = false;
        return Loan.COMING;
    }

    /** The JDK may have raised it when it throws, having failed to start a carrier. */
    private static void raise(Scheduler scheduler, int to) {
        boolean raised = false;
        try {
            scheduler.parallelism(to);
            raised = true;
        } finally {
            if (!raised && scheduler.parallelism() == to) {
                scheduler.parallelism(to - 1);
            }
        }
    }

    /*
     * Raising need not wake a carrier. What becomes ready afterwards does, if it finds nothing before it
     * in its queue. What was ready before, and what comes behind it, has nobody to fetch it once the
     * borrower has blocked. One that yields with nothing behind it wakes one: it is then itself what
     * becomes ready; or it comes behind what is there, which its own carrier then fetches first.
     */
    @Override
    public Loan ask() {
        lock.lock();
        try {
            if (refuses || scheduler == null) {
                return Loan.REFUSED;
            }
            if (scheduler.parallelism() < raisedTo) {
                return refuse("somebody else has lowered the parallelism of virtual threads");
            }
            serving = !isMissed(scheduler);
            return serving ? Loan.SERVING : Loan.COMING;
        } finally {
            lock.unlock();
        }
    }

    /** Whether virtual threads are ready, and a carrier that may serve them does not. */
    private static boolean isMissed(Scheduler scheduler) {
        return scheduler.hasQueued() && scheduler.mounted() < scheduler.parallelism();
    }

    /** For good. */
    @GuardedBy("lock")
    private Loan refuse(String why) {
        refuses = true;
        LOGGER.log(
                WARNING,
                "{0}: virtual threads that wait for events of a device are woken by a thread of"
                        + " loomverbs, which costs a switch of threads for each",
                why);
        return Loan.REFUSED;
    }

    @Override
    public void giveBack(EventSource source) {
        lock.lock();
        try {
            lent.remove(source);
            spare++;
            used = true;
            if (watcher == null) {
                lower();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A platform thread: what it looks for keeps virtual threads from running. */
    @GuardedBy("lock")
    private void beWatched() {
        if (idle) {
            firstLoan.signal();
        } else if (watcher == null) {
            Thread thread =
                    Thread.ofPlatform().name("loomverbs-carriers").daemon().unstarted(this::watch);
            try {
                thread.start();
                watcher = thread;
            } catch (OutOfMemoryError e) {
                // Then it goes without, until the next loan.
            }
        }
    }

    private void watch() {
        lock.lock();
        try {
            lookNowAndThen();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void lookNowAndThen() {
        try {
            while (true) {
                idle = lent.isEmpty() && spare == 0;
                if (idle) {
                    firstLoan.awaitUninterruptibly();
                } else {
                    long _ = firstLoan.awaitNanos(kept.toNanos());
                    look();
                }
            }
        } catch (InterruptedException e) {
            // Nobody does that; the next loan has another watcher.
        } finally {
            idle = false;
            watcher = null;
        }
    }

    @GuardedBy("lock")
    private void look() {
        if (!used) {
            lower();
        }
        used = false;
        if (scheduler == null || lent.isEmpty()) {
            return;
        }
        if (refuses || scheduler.parallelism() < raisedTo || isMissed(scheduler)) {
            serving = false;
            lent.forEach(EventSource::wake);
        }
    }

    @GuardedBy("lock")
    private void lower() {
        int back = spare;
        spare = 0;
        if (refuses || scheduler == null || back == 0) {
            return;
        }
        if (scheduler.parallelism() != raisedTo) {
            if (!lent.isEmpty()) {
                refuse("somebody else has changed the parallelism of virtual threads");
            }
            return;
        }
        raisedTo -= back;
        try {
            scheduler.parallelism(raisedTo);
        } catch (RuntimeException e) {
            refuse("the parallelism of virtual threads cannot be lowered: " + e);
        }
    }

    /**
     * The JDK's scheduler. A class of its own: where jdk.management is missing it fails to load.
     */
    private static final class OfJdk implements Scheduler {
        private final VirtualThreadSchedulerMXBean bean =
                ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);

        @Override
        public int parallelism() {
            return bean.getParallelism();
        }

        @Override
        public void parallelism(int n) {
            bean.setParallelism(n);
        }

        @Override
        public boolean hasQueued() {
            return bean.getQueuedVirtualThreadCount() > 0;
        }

        @Override
        public int mounted() {
            return bean.getMountedVirtualThreadCount();
        }
    }
}
