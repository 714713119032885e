package io.loomverbs;

import io.loomverbs.internal.event.AsyncQueue.Raised;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReference;

/**
 * A received asynchronous event ({@code struct ibv_async_event}). Close it to acknowledge it; the
 * CQ, queue pair or shared receive queue that it belongs to cannot be closed before.
 *
 * @since 0.1.0
 */
public final class AsyncEvent implements AutoCloseable {
    private final AsyncEvents source;
    private final Raised raised;

    /** The thread that received the event; null once it is acknowledged. */
    private final AtomicReference<@Nullable Thread> taker =
            new AtomicReference<>(Thread.currentThread());

    AsyncEvent(AsyncEvents source, Raised raised) {
        this.source = source;
        this.raised = raised;
    }

    /**
     * What happened.
     *
     * @return the type
     */
    public AsyncEventType type() {
        return AsyncEventType.of(raised.type());
    }

    /**
     * What happened, as a number of {@code enum ibv_event_type}.
     *
     * @return the number, also of an event whose type is {@link AsyncEventType#OTHER}
     */
    public int typeNumber() {
        return raised.type();
    }

    /**
     * The CQ that it happened to.
     *
     * @return the CQ, or null if the event is not about one
     */
    public @Nullable CompletionQueue cq() {
        return raised.owner() instanceof CompletionQueue cq ? cq : null;
    }

    /**
     * The queue pair that it happened to.
     *
     * @return the queue pair, or null if the event is not about one
     */
    public @Nullable QueuePair qp() {
        return raised.owner() instanceof QueuePair qp ? qp : null;
    }

    /**
     * The shared receive queue that it happened to.
     *
     * @return the queue, or null if the event is not about one
     */
    public @Nullable SharedReceiveQueue srq() {
        return raised.owner() instanceof SharedReceiveQueue srq ? srq : null;
    }

    /**
     * The port that it happened to.
     *
     * @return the port, from 1 on, or 0 if the event is not about one
     */
    public int port() {
        return raised.port();
    }

    /**
     * How many events this one stands for. Waiting events of one type for one object or port are
     * merged into one, in the place of the latest. It is acknowledged once, whatever the count.
     *
     * @return at least 1
     */
    public int count() {
        return raised.count();
    }

    /** Acknowledges the event ({@code ibv_ack_async_event}). Doing so again does nothing. */
    @Override
    public void close() {
        Thread by = taker.getAndSet(null);
        if (by == null) {
            return;
        }
        boolean madeRoom;
        try {
            madeRoom = AsyncEvents.ack(raised);
        } catch (Error e) { // such as no stack: nothing was acknowledged
            taker.set(by);
            throw e;
        }
        source.acked(this, madeRoom);
    }

    /** The thread that received the event, or null if it is acknowledged. */
    @Nullable Thread holder() {
        return taker.get();
    }

    boolean isHeldBy(Thread thread, Object owner) {
        return owner.equals(raised.owner()) && thread.equals(holder());
    }

    /** The event's type and object. */
    @Override
    public String toString() {
        Object owner = raised.owner();
        String what = Wording.named(type(), AsyncEventType.OTHER, typeNumber());
        String times = count() == 1 ? "" : " (" + count() + " times)";
        if (owner != null) {
            return what + " of " + owner + times;
        }
        return what + (raised.port() == 0 ? "" : " of port " + raised.port()) + times;
    }
}
