package io.loomverbs.internal.event;

import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Raises the parallelism of the JDK's virtual thread scheduler by one for each thread that blocks,
 * and lowers it again.
 *
 * <p>Somebody else may set the parallelism too. If it is not what was left here, it is left alone
 * from then on, and nothing is lent any more. That is logged, once.
 */
public final class SchedulerCarriers implements Carriers {
    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");
    private static final SchedulerCarriers INSTANCE = new SchedulerCarriers(Scheduler.find());

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private @Nullable Scheduler scheduler;

    @GuardedBy("lock")
    private int lent;

    @GuardedBy("lock")
    private boolean told;

    /** What the parallelism is while something is lent, if nobody else has changed it. */
    @GuardedBy("lock")
    private int raisedTo;

    /** What there is to raise. */
    interface Scheduler {
        int parallelism();

        void parallelism(int n);

        /** Whether virtual threads wait for a carrier. */
        boolean hasQueued();

        /** The JDK's; null if the module jdk.management is not there. */
        static @Nullable Scheduler find() {
            try {
                return new OfJdk();
            } catch (LinkageError | RuntimeException e) {
                return null;
            }
        }
    }

    SchedulerCarriers(@Nullable Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** There is one scheduler in a JVM, so one who counts. */
    public static Carriers get() {
        return INSTANCE;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // what follows from it is meant, as said there
    public boolean borrow() {
        Scheduler wanted;
        lock.lock();
        try {
            if (scheduler == null) {
                return refuse("the module jdk.management is not there");
            }
            int now = scheduler.parallelism();
            if (lent > 0 && now != raisedTo) {
                return refuse("somebody else has changed the parallelism of virtual threads");
            }
            try {
                scheduler.parallelism(now + 1);
            } catch (RuntimeException e) { // at the limit, or not supported
                return refuse("the parallelism of virtual threads cannot be raised: " + e);
            }
            raisedTo = now + 1;
            lent++;
            wanted = scheduler;
        } finally {
            lock.unlock();
        }
        try {
            if (wanted.hasQueued()) {
                // Raising wakes no carrier. This does, and lets go first who waits for this one.
                Thread.yield();
            }
        } catch (Throwable t) {
            giveBack();
            throw t;
        }
        return true;
    }

    /** For good. */
    @GuardedBy("lock")
    private boolean refuse(String why) {
        scheduler = null;
        if (!told) {
            told = true;
            LOGGER.log(
                    WARNING,
                    "{0}: virtual threads that wait for events of a device are woken by a thread"
                            + " of loomverbs, which costs a switch of threads for each",
                    why);
        }
        return false;
    }

    @Override
    public void giveBack() {
        lock.lock();
        try {
            lent--;
            if (scheduler == null) {
                return;
            }
            if (scheduler.parallelism() != raisedTo) {
                refuse("somebody else has changed the parallelism of virtual threads");
                return;
            }
            raisedTo--;
            try {
                scheduler.parallelism(raisedTo);
            } catch (RuntimeException e) {
                refuse("the parallelism of virtual threads cannot be lowered: " + e);
            }
        } finally {
            lock.unlock();
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
    }
}
