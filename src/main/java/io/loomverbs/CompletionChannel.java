package io.loomverbs;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * Delivers the completion events of any number of CQs ({@code struct ibv_comp_channel}).
 *
 * <p>Each event goes to one thread: the longest waiter, or a thread that asks while another one is
 * still waking up. Another virtual thread is woken only while the running ones fall behind;
 * overtaking is bounded. While a platform thread waits, each event wakes a thread. Events are
 * delivered in the order in which they were raised; a CQ with several pending events takes turns
 * with the others.
 *
 * <p>Safe for use by any number of threads.
 */
public final class CompletionChannel implements AutoCloseable {
    private final Context context;
    private final Lifecycle usage;
    private final EventQueue queue = EventQueue.shared(null);
    private final int id;

    /** Written once, before the channel is published. */
    @SuppressWarnings("NullAway.Init")
    private ChannelOps ops;

    CompletionChannel(Context context) {
        this.context = context;
        this.usage = new Lifecycle(this, context.usage());
        this.id = context.nextId();
    }

    CompletionChannel created(ChannelOps created) {
        boolean usable = false;
        try {
            this.ops = created;
            queue.comesFrom(created.feed());
            usable = true;
            return this;
        } finally {
            if (!usable) {
                created.destroy();
            }
        }
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
     * Receives the next completion event, and waits for it without a time limit ({@code
     * ibv_get_cq_event}).
     *
     * <p>An event is a hint: the CQ may be empty. Acknowledge the event, by closing it or with
     * {@link CompletionQueue#ackEvents}, before the CQ is closed. The CQ is no longer armed: before
     * the next wait, arm it again, then poll it until it is empty.
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
     * Receives the next completion event, waiting for at most {@code timeout}; otherwise like
     * {@link #getCqEvent()}.
     *
     * <p>At full load the JDK's scheduler can end a timed wait of a virtual thread some
     * milliseconds late: see "Full load" in the guide.
     *
     * @param timeout how long to wait; zero does not wait
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
     * non-blocking channel. Never waits, and ignores interrupts. If CQs with direct delivery also
     * use the channel, it looks behind at most 4,096 of their events; a later call looks further.
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
     * The channel's file descriptor, for the program's own epoll set. It is non-blocking, becomes
     * readable when an event is raised, and is read by {@link #tryGetCqEvent}. If no thread waits
     * on this channel, nothing else reads the descriptor.
     *
     * @return the file descriptor; only the channel may close it
     * @throws ClosedException if the channel is closed
     * @throws UnsupportedOperationException if the device has none, like {@code soft0}
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
            rc = usage.close(ops::destroy, () -> {});
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
