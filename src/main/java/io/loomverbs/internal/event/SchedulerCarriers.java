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
 * <p>Somebody else may set the parallelism too. If that is seen while something is lent, it is left
 * alone from then on, and nothing is lent any more, which is logged, once. Else it is what loans
 * start from. One who sets it in the same instant may be overwritten: it cannot be compared and
 * set.
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

    /** As many were spare all the time since {@link #look}. */
    @GuardedBy("lock")
    private int leastSpare;

    /** A virtual thread that was started when a carrier seemed to be missed, and has not run. */
    @GuardedBy("lock")
    private @Nullable Thread probe;

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
         * that blocks in a call for which the JDK makes up, or should, is not counted.
         */
        int mounted();

        /** Starts a virtual thread that does nothing; null if that cannot be done. */
        @Nullable Thread start();

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
     * @param kept how long what was given back is kept at least, if nobody borrows
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
                leastSpare = 0;
            }
            beWatched();
            if (spare == 0) {
                try {
                    raise(scheduler, now + 1);
                } catch (RuntimeException e) { // at the limit, or not supported
                    return refuse("the parallelism of virtual threads cannot be raised: " + e);
                }
                raisedTo = now + 1;
                serving = false;
                spare++;
            }
            lent.add(source);
            spare--;
            leastSpare = Math.min(leastSpare, spare);
            return serving ? Loan.SERVING : Loan.COMING;
        } finally {
            lock.unlock();
        }
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
            if (watcher == null) {
                lower(spare);
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
                    Thread.ofPlatform()
                            .name("loomverbs-carriers")
                            .daemon()
                            .inheritInheritableThreadLocals(false)
                            .unstarted(this::watch);
            thread.setContextClassLoader(null); // it keeps nobody's alive
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
        lower(leastSpare);
        leastSpare = spare;
        if (scheduler == null || lent.isEmpty()) {
            return;
        }
        if (refuses || scheduler.parallelism() < raisedTo || isMissedForLong(scheduler)) {
            serving = false;
            lent.forEach(EventSource::wake);
        }
    }

    /*
     * On a busy machine a virtual thread is always on its way to a carrier that was woken for it, which
     * looks the same. So one is sent to see whether it arrives.
     */
    @GuardedBy("lock")
    private boolean isMissedForLong(Scheduler scheduler) {
        if (probe != null && probe.isAlive()) {
            return true;
        }
        probe = isMissed(scheduler) ? scheduler.start() : null;
        return false;
    }

    /** Lowers by that many of those that are spare. */
    @GuardedBy("lock")
    private void lower(int n) {
        spare -= n;
        leastSpare = Math.min(leastSpare, spare);
        if (scheduler == null || n == 0) {
            return;
        }
        if (scheduler.parallelism() != raisedTo) {
            if (!lent.isEmpty() && !refuses) {
                refuse("somebody else has changed the parallelism of virtual threads");
            }
            return;
        }
        raisedTo -= n;
        try {
            scheduler.parallelism(raisedTo);
        } catch (OutOfMemoryError e) {
            // It is lowered; the JDK then tried to start a carrier that it does not need now.
        } catch (RuntimeException e) {
            if (!refuses) {
                refuse("the parallelism of virtual threads cannot be lowered: " + e);
            }
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

        @Override
        public @Nullable Thread start() {
            try {
                return Thread.startVirtualThread(() -> {});
            } catch (OutOfMemoryError | RuntimeException e) {
                return null;
            }
        }
    }
}
