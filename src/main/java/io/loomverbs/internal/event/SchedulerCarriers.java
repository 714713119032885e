package io.loomverbs.internal.event;

import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Raises the parallelism of the JDK's virtual thread scheduler by one when a virtual thread first
 * leads at a poller, and lowers it when the poller's last context is closed.
 *
 * <p>It does not do so for each wait: a raise makes the JDK start a virtual thread if it has fewer
 * carriers than that, as on machines with many processors. A leader also need not ask again whether
 * a carrier serves others: {@link CarrierWatch} withdraws that when it is no longer true.
 *
 * <p>If other code sets the parallelism meanwhile, this class leaves that alone, and a platform
 * thread leads at this poller from then on.
 */
public final class SchedulerCarriers implements Carriers {
    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");

    /** The last problem that was logged, so that it is not repeated for each poller. */
    @GuardedBy("SchedulerCarriers.class")
    private static @Nullable String logged;

    /** Null if the module jdk.management is missing. */
    private final @Nullable Scheduler scheduler;

    private final @Nullable RaisedParallelism raised;
    private final @Nullable CarrierWatch watch;
    private final ReentrantLock lock = new ReentrantLock();

    /** Whether the parallelism is raised. */
    @GuardedBy("lock")
    private boolean lent;

    @GuardedBy("lock")
    private boolean refused;

    @GuardedBy("lock")
    private boolean ended;

    /** Whether a leader may block without a further look. */
    private volatile boolean serving;

    /** The state of the JVM's scheduler, in a separate class because tests have their own. */
    private static final class OfJvm {
        static final @Nullable Scheduler SCHEDULER = Scheduler.find();
        static final @Nullable RaisedParallelism RAISED =
                SCHEDULER == null
                        ? null
                        : new RaisedParallelism(SCHEDULER, RaisedParallelism.PROPERTY);
        static final @Nullable CarrierWatch WATCH =
                SCHEDULER == null ? null : new CarrierWatch(SCHEDULER, CarrierWatch.EVERY);

        static {
            inUse = SCHEDULER;
        }
    }

    /** The JVM's, once there is a poller: finding it takes time that others need not spend. */
    private static volatile @Nullable Scheduler inUse;

    /** For one poller. */
    public SchedulerCarriers() {
        this(OfJvm.SCHEDULER, OfJvm.RAISED, OfJvm.WATCH);
    }

    /** Whether a carrier is known to have nothing to run. */
    static boolean isAnyIdle() {
        Scheduler found = inUse;
        return found != null && found.isIdle();
    }

    SchedulerCarriers(
            @Nullable Scheduler scheduler,
            @Nullable RaisedParallelism raised,
            @Nullable CarrierWatch watch) {
        this.scheduler = scheduler;
        this.raised = raised;
        this.watch = watch;
    }

    /*
     * Raising the parallelism need not wake a carrier. A virtual thread that becomes ready
     * afterwards wakes one only if its queue was empty. Once the leader has blocked, no carrier
     * fetches the threads that were ready before, or become ready after these. A leader that yields
     * ensures progress: with an empty queue it becomes ready itself and wakes a carrier; otherwise
     * its own carrier first runs the threads in the queue.
     */
    @Override
    public Loan ask(Borrower borrower) {
        if (scheduler == null || raised == null || watch == null) {
            return refuse("the module jdk.management is missing");
        }
        if (serving && watch.isOn()) {
            return Loan.SERVING;
        }
        String problem;
        lock.lock();
        try {
            if (ended || refused) {
                return Loan.REFUSED;
            }
            if (!lent) {
                problem = raised.raise();
                if (problem == null) {
                    lent = true;
                    watch.begin(this, borrower);
                    return Loan.COMING;
                }
            } else if (raised.isUnchanged()) {
                watch.begin(this, borrower);
                serving = !scheduler.isMissed();
                return serving ? Loan.SERVING : Loan.COMING;
            } else {
                refused = true;
                problem = "other code has changed the parallelism of virtual threads";
            }
        } finally {
            lock.unlock();
        }
        return refuse(problem); // not under the lock: a handler of the log may wait for a device
    }

    /** Makes a leader look again before it blocks. Not under the lock: the watch holds its own. */
    void doubt() {
        serving = false;
    }

    /** Whether the added carrier still exists. */
    boolean isUnchanged() {
        return raised != null && raised.isUnchanged();
    }

    private static Loan refuse(String why) {
        synchronized (SchedulerCarriers.class) {
            if (why.equals(logged)) {
                return Loan.REFUSED;
            }
            logged = why;
        }
        LOGGER.log(
                WARNING,
                "{0}: a platform thread of loomverbs wakes virtual threads that wait for events"
                        + " of a device, which costs one thread switch for each event",
                why);
        return Loan.REFUSED;
    }

    @Override
    public void giveBack() {
        lock.lock();
        try {
            ended = true;
            serving = false;
            if (lent && raised != null && watch != null) {
                lent = false;
                try {
                    watch.end(this);
                } finally {
                    lower(raised);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Again, if there was no memory: nothing else takes it back from the JVM. */
    private static void lower(RaisedParallelism raised) {
        for (int tries = 1; ; tries++) {
            try {
                raised.lower();
                return;
            } catch (Error e) {
                if (tries == LedQueue.MOST_TRIES) {
                    throw e;
                }
            }
        }
    }
}
