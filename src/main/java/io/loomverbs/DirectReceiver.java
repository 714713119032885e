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

    /** Threads that wait for an event, or are about to, but for the server. Changed atomically. */
    private volatile int waiting;

    DirectReceiver(CompletionQueue cq, EventQueue queue) {
        this.cq = cq;
        this.queue = queue;
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

    /** The calling thread is about to arm and wait, until {@link #leave}. */
    void join() {
        WAITING.getAndAdd(this, 1);
    }

    void leave() {
        WAITING.getAndAdd(this, -1);
    }

    /**
     * For how many completions a thread that lacks {@code missing} may arm the CQ. For those, if no
     * other thread may wait for an event: it might wait for the next completion, and has armed the
     * CQ before this asks. Never for more than half of the CQ, so that it does not overrun.
     */
    int armFor(int missing) {
        if (missing == 1 || waiting > 1 || (server != null && server != Thread.currentThread())) {
            return 1;
        }
        return Math.max(1, Math.min(missing, cq.cqe() / 2));
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
                            + ": its handler gets what arrives. Stop that first, or receive in"
                            + " the handler");
        }
    }
}
