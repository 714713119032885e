package io.loomverbs;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/** Receives from a CQ with direct delivery: which threads may, and how they wait. */
final class DirectReceiver {
    private static final VarHandle SERVER;
    private static final VarHandle EMPTY_WAKE_UPS;
    private static final VarHandle WAITING;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            SERVER = lookup.findVarHandle(DirectReceiver.class, "server", Thread.class);
            EMPTY_WAKE_UPS = lookup.findVarHandle(DirectReceiver.class, "emptyWakeUps", long.class);
            WAITING = lookup.findVarHandle(DirectReceiver.class, "waiting", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final CompletionQueue cq;
    final EventQueue queue;

    private @Nullable AdaptivePolling adaptive;

    /** The only thread that may receive, while there is one. Changed by compare-and-set. */
    private volatile @Nullable Thread server;

    /** How often an event ended an await and there were no completions. Changed atomically. */
    private volatile long emptyWakeUps;

    /** Whether the CQ can be armed for several completions; written before it is published. */
    private boolean counts;

    /**
     * Threads that wait for an event, or are about to, except the server. Changed atomically; only
     * kept where the device counts completions.
     */
    private volatile int waiting;

    /** Whether a thread may have armed the CQ for several completions. */
    private volatile boolean armedForMany;

    DirectReceiver(CompletionQueue cq, EventQueue queue) {
        this.cq = cq;
        this.queue = queue;
    }

    void created(boolean countsCompletions) {
        counts = countsCompletions;
    }

    @Nullable CqEvent tryGet() {
        requireToReceive();
        try {
            return CqEvent.of(queue.tryTake());
        } catch (EventQueueEndedException e) {
            throw ended(e);
        }
    }

    @Nullable CqEvent get(long nanos) throws InterruptedException {
        requireToReceive();
        RecordedWait wait = Recorder.beginWait();
        QueuedCq taken = null;
        join();
        try {
            lowerArm();
            taken = queue.take(Fairness.before(queue, nanos));
        } catch (EventQueueEndedException e) {
            throw ended(e);
        } finally {
            leave();
            Reference.reachabilityFence(cq); // the device does not keep a tracked CQ
            Recorder.endWait(wait, cq, "getCqEvent", taken != null);
        }
        return CqEvent.of(taken);
    }

    /** The calling thread is about to wait, until {@link #leave}. */
    void join() {
        count(1);
    }

    void leave() {
        count(-1);
    }

    /** One place for both: a thread that leaves with an event must not fail to link a call. */
    private void count(int by) {
        if (counts) {
            WAITING.getAndAdd(this, by);
        }
    }

    /**
     * The program has armed the CQ itself, for the next completion. A thread that awaits several
     * may have taken that event since, and armed for more. To be called after {@link #join}: either
     * this finds such an arm, or that thread finds this one waiting after it has armed.
     */
    private void lowerArm() {
        if (armedForMany) {
            armedForMany = false; // first: a thread that arms for many after this says so again
            boolean lowered = false;
            try {
                cq.lowerArm();
                lowered = true;
            } finally {
                if (!lowered) { // no stack, say: the arm may be there still
                    armedForMany = true;
                }
            }
        }
    }

    /**
     * For how many completions a thread that lacks {@code missing} may arm the CQ: for all of those
     * only if no other thread may wait for an event, since that one might wait for the next
     * completion. So the thread asks again after it has armed. Never for more than half of the CQ,
     * so that it does not overrun.
     */
    int armFor(int missing) {
        int most = missing == 1 || !counts ? 1 : Math.max(1, Math.min(missing, cq.cqe() / 2));
        if (most == 1) {
            return 1;
        }
        // Before the arm, and before each look for others: since it was said last, a thread may
        // have come, lowered no arm, and gone.
        armedForMany = true;
        return waiting > 1 || (server != null && server != Thread.currentThread()) ? 1 : most;
    }

    /** For a closed CQ, being closed takes precedence over an earlier overrun. */
    RuntimeException ended(EventQueueEndedException e) {
        return cq.ledger().isClosed() ? new ClosedException(cq) : CqEvent.ended(cq, e);
    }

    int await(WorkCompletions batch, int min, long nanos, WaitStrategy how)
            throws InterruptedException {
        requireToReceive();
        return CqAwait.await(this, batch, min, nanos, how, null);
    }

    /** Of this CQ; made when a thread first needs it. Of two first threads each may make one. */
    AdaptivePolling adaptivePolling() {
        AdaptivePolling polling = adaptive;
        if (polling == null) {
            polling = new AdaptivePolling();
            adaptive = polling;
        }
        return polling;
    }

    /** Only this thread may receive from now on, until {@link #served}. */
    void lendTo(Thread thread) {
        cq.ensureOpen();
        if (!SERVER.compareAndSet(this, null, thread)) {
            Thread by = server;
            throw new IllegalStateException(
                    cq
                            + " is being served by another handler"
                            + (by == null ? "" : ", " + Place.nameOf(by)));
        }
    }

    /** The only thread that may receive; null if any may. */
    @Nullable Thread server() {
        return server;
    }

    /** An event ended a wait, and there were no completions. */
    void foundNone() {
        EMPTY_WAKE_UPS.getAndAdd(this, 1L);
    }

    long emptyWakeUps() {
        return emptyWakeUps;
    }

    void served(Thread by) {
        SERVER.compareAndSet(this, by, null);
    }

    /** Other threads would take the handler's completions and the event of its arm. */
    void requireToReceive() {
        Thread by = server;
        if (by != null && by != Thread.currentThread()) {
            throw new IllegalStateException(
                    cq
                            + " is being served by thread "
                            + Place.nameOf(by)
                            + ": its handler gets the completions. Stop serving first, or"
                            + " receive in the handler");
        }
    }
}
