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

    /** Null if the module jdk.management is not there. */
    private final @Nullable Scheduler scheduler;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private int lent;

    /** Whether nothing is lent any more. */
    @GuardedBy("lock")
    private boolean refuses;

    /** What the parallelism is while something is lent, if nobody else has changed it. */
    @GuardedBy("lock")
    private int raisedTo;

    /** What there is to raise. */
    interface Scheduler {
        int parallelism();

        void parallelism(int n);

        /** Whether virtual threads wait for a carrier. */
        boolean hasQueued();

        /** How many carriers run one, or look for one to run. */
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

    SchedulerCarriers(@Nullable Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** There is one scheduler in a JVM, so one who counts. */
    public static Carriers get() {
        return INSTANCE;
    }

    @Override
    public boolean borrow() {
        lock.lock();
        try {
            if (refuses) {
                return false;
            }
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
            return true;
        } finally {
            lock.unlock();
        }
    }

    /*
     * Raising wakes no carrier. What becomes ready afterwards does, if it finds nothing else in its
     * queue; what was ready before, and what comes behind it, has nobody to fetch it once the borrower
     * has blocked. One that yields with nothing behind it wakes one: it is then itself what becomes
     * ready.
     */
    @Override
    public boolean mayBlock() {
        return scheduler == null
                || !scheduler.hasQueued()
                || scheduler.mounted() >= scheduler.parallelism();
    }

    /** For good. */
    @GuardedBy("lock")
    private boolean refuse(String why) {
        refuses = true;
        LOGGER.log(
                WARNING,
                "{0}: virtual threads that wait for events of a device are woken by a thread of"
                        + " loomverbs, which costs a switch of threads for each",
                why);
        return false;
    }

    @Override
    public void giveBack() {
        lock.lock();
        try {
            lent--;
            if (refuses || scheduler == null) {
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

        @Override
        public int mounted() {
            return bean.getMountedVirtualThreadCount();
        }
    }
}
