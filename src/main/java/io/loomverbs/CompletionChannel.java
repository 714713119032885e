package io.loomverbs;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * Where completion events of any number of CQs are delivered: {@code struct ibv_comp_channel}.
 *
 * <p>An event goes to one thread: the one that has waited longest, or one that asks while others
 * are just being woken. A virtual thread is not woken for each event, but as long as those at work
 * do not keep up; none is passed for ever. While a platform thread waits, each event wakes one.
 * Events come in the order in which they came up; a CQ with several pending events takes turns with
 * the others.
 *
 * <p>Safe for use by any number of threads.
 */
public final class CompletionChannel implements AutoCloseable {
    private final Context context;
    private final ChannelOps ops;
    private final EventQueue queue;
    private final Lifecycle usage = new Lifecycle(this);
    private final int id;

    CompletionChannel(Context context, ChannelOps ops) {
        this.context = context;
        this.ops = ops;
        this.queue = EventQueue.shared(ops.feed());
        this.id = context.nextId();
    }

    /**
     * The context that the channel was created in.
     *
     * @return the context
     */
    public Context context() {
        return context;
    }

    /**
     * Receives the next completion event, waiting as long as it takes ({@code ibv_get_cq_event}).
     *
     * <p>An event is a hint: the CQ may turn out to be empty. It must be acknowledged, by closing
     * it or with {@link CompletionQueue#ackEvents}, before the CQ can be closed. The CQ is not
     * armed any more; arm it again, then poll it until it is empty, before the next wait.
     *
     * @return the event, which names the CQ
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public CqEvent getCqEvent() throws InterruptedException {
        CqEvent event = get(Long.MAX_VALUE);
        if (event == null) {
            throw new AssertionError("an unlimited wait ended without an event");
        }
        return event;
    }

    /**
     * Receives the next completion event, waiting for at most {@code timeout}; otherwise as {@link
     * #getCqEvent()}.
     *
     * @param timeout how long to wait; zero not to wait at all
     * @return the event, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws IllegalArgumentException if the timeout is negative
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CqEvent getCqEvent(Duration timeout) throws InterruptedException {
        return get(Arguments.nanos("timeout", timeout));
    }

    /**
     * Receives the next completion event if there is one: what {@code ibv_get_cq_event} does on a
     * non-blocking channel. Never waits, and leaves the thread's interrupt status alone. If CQs
     * with direct delivery use the channel as well, it looks behind at most 4,096 of their events;
     * a later call finds what is farther behind.
     *
     * @return the event, or null if there is none ({@code EAGAIN})
     * @throws ClosedException if the channel is closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CqEvent tryGetCqEvent() {
        try {
            return CqEvent.of(queue.tryTake());
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended(this, e);
        }
    }

    /**
     * The channel's file descriptor, for an epoll set of one's own: it is non-blocking, becomes
     * readable when an event comes up, and {@link #tryGetCqEvent} reads it. On a channel that no
     * thread waits for here nobody else does.
     *
     * @return the file descriptor; it is the channel's to close
     * @throws ClosedException if the channel is closed
     * @throws UnsupportedOperationException if the device has none, as {@code soft0}
     */
    public int fd() {
        usage.ensureOpen();
        return ops.fd();
    }

    private @Nullable CqEvent get(long nanos) throws InterruptedException {
        try {
            return CqEvent.of(queue.take(Fairness.before(queue, nanos)));
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended(this, e);
        }
    }

    /**
     * Destroys the channel ({@code ibv_destroy_comp_channel}). Threads that wait on it get a {@link
     * ClosedException}. Closing again does nothing.
     *
     * @throws VerbsException {@code EBUSY} while CQs use the channel; nothing has changed then
     */
    @Override
    public void close() {
        int rc;
        try {
            rc = usage.close(ops::destroy, () -> context.usage().release(this));
        } finally {
            if (usage.isClosed()) {
                queue.end(null); // once is enough, more does no harm: a thread may have failed to
            }
        }
        if (rc == Lifecycle.IN_USE) {
            throw BusyMessage.refusal("ibv_destroy_comp_channel", this, usage);
        }
        if (rc != 0) {
            throw VerbsException.refused(
                    "ibv_destroy_comp_channel", rc, this + " was not destroyed");
        }
    }

    ChannelOps ops() {
        return ops;
    }

    EventQueue queue() {
        return queue;
    }

    Lifecycle usage() {
        return usage;
    }

    /** The device's name and the channel's number. */
    @Override
    public String toString() {
        return context + "/channel-" + id;
    }
}
