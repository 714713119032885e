package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.Ledger;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A received completion event. Acknowledge it once: with {@link #close}, or by count with {@link
 * CompletionQueue#ackEvents}.
 *
 * <p>Any thread can acknowledge it.
 *
 * @since 0.1.0
 */
public final class CqEvent implements AutoCloseable {
    private static final VarHandle TAKER;

    static {
        try {
            TAKER = MethodHandles.lookup().findVarHandle(CqEvent.class, "taker", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CqDelivery ledger;

    /** The thread that received the event; null once it is acknowledged. Changed by CAS. */
    private volatile @Nullable Thread taker;

    /** Whether it counts as acknowledged by count; for diagnosis only. */
    private volatile boolean counted;

    /** Links of {@link CqDelivery}, which says which threads may access them. */
    @Nullable CqEvent next;

    int depth;
    boolean mixed;
    short doubts;

    private CqEvent(CqDelivery ledger) {
        this.ledger = ledger;
        this.taker = Thread.currentThread();
    }

    /** Makes the event of a CQ that the queue has given to this thread. */
    static @Nullable CqEvent of(@Nullable QueuedCq taken) {
        if (taken == null) {
            return null;
        }
        CqEvent event = null;
        try {
            CqDelivery ledger = (CqDelivery) taken;
            event = new CqEvent(ledger);
            ledger.add(event);
            if (EventTracking.ENABLED) {
                ledger.cq().tracking().taken(event);
            }
            if (Recorder.recordsArms()) {
                ledger.cq().receivedWhileRecording();
            }
            return event;
        } catch (RuntimeException | Error e) { // such as no memory: no thread has the event
            if (event != null) {
                event.taker = null;
            }
            giveBack(taken);
            throw e;
        }
    }

    /** The CQ of an event that the queue has given to this thread, without an object for it. */
    static @Nullable CompletionQueue cqOf(@Nullable QueuedCq taken) {
        if (taken == null) {
            return null;
        }
        boolean received = false;
        try {
            CqDelivery ledger = (CqDelivery) taken;
            ledger.addUnnamed();
            if (EventTracking.ENABLED) {
                ledger.cq().tracking().taken(new Object());
            }
            if (Recorder.recordsArms()) {
                ledger.cq().receivedWhileRecording();
            }
            received = true;
            return ledger.cq();
        } finally {
            if (!received) {
                giveBack(taken);
            }
        }
    }

    private static void giveBack(QueuedCq taken) {
        try {
            taken.raise();
        } finally {
            taken.tryAck(1);
        }
    }

    /** The exception for waiters of an ended queue. */
    static RuntimeException ended(Object closed, EventQueueEndedException end) {
        return ended("ibv_get_cq_event", closed, end);
    }

    static RuntimeException ended(String verb, Object closed, EventQueueEndedException end) {
        Throwable cause = end.getCause();
        if (cause == null) {
            return new ClosedException(closed);
        }
        if (cause instanceof VerbsException failure) {
            return new VerbsException(
                    failure.verb(), failure.errno(), closed + " has failed", failure);
        }
        if (cause instanceof DeviceException failure) {
            return new VerbsException(verb, failure.errno(), closed + " has failed", failure);
        }
        return new IllegalStateException(closed + " has failed", cause);
    }

    /**
     * The CQ that has new completions.
     *
     * @return the CQ
     */
    public CompletionQueue cq() {
        return ledger.cq();
    }

    /**
     * The context object that was given when the CQ was created.
     *
     * @return the object, or null
     */
    public @Nullable Object cqContext() {
        return ledger.cqContext;
    }

    /**
     * Acknowledges the event ({@code ibv_ack_cq_events} of 1). Doing so again does nothing.
     *
     * @throws IllegalStateException if the CQ has no unacknowledged event left: {@link
     *     CompletionQueue#ackEvents} has counted this one already
     */
    @Override
    public void close() {
        Thread by = taker;
        if (by == null || !TAKER.compareAndSet(this, by, null)) {
            return;
        }
        int outstanding;
        try {
            outstanding = ledger.tryAck(1);
        } catch (Error e) { // such as no stack: nothing was acknowledged
            taker = by;
            throw e;
        }
        if (outstanding != Ledger.ACKED) {
            throw cq().overAck(1, outstanding);
        }
        if (EventTracking.ENABLED) {
            cq().tracking().acked(this);
        }
    }

    /** The thread that received the event, or null if it counts as acknowledged. */
    @Nullable Thread holder() {
        return counted ? null : taker;
    }

    void counted() {
        counted = true;
    }

    /**
     * Before it is pushed.
     *
     * @param below the event below it in the stack of its ledger
     * @param isMixed whether threads other than the calling one have received some of those
     * @param known the doubts of the ledger while all those were known
     */
    void place(@Nullable CqEvent below, boolean isMixed, short known) {
        next = below;
        depth = below == null ? 1 : below.depth + 1;
        mixed = isMixed;
        doubts = known;
    }

    /** The CQ, and whether the event is acknowledged. */
    @Override
    public String toString() {
        return "event of " + cq() + (taker == null ? ", acknowledged" : ", unacknowledged");
    }
}
