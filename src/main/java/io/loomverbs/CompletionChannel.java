package io.loomverbs;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

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
 *
 * @since 0.1.0
 */
public final class CompletionChannel implements AutoCloseable {
    private static final VarHandle SERVER;

    static {
        try {
            SERVER =
                    MethodHandles.lookup()
                            .findVarHandle(CompletionChannel.class, "server", Serving.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The most threads that {@link #serve} starts. */
    private static final int MAX_THREADS = 1 << 16;

    private final Context context;
    private final Lifecycle usage;
    private final EventQueue queue = EventQueue.shared(null);
    private final int id;

    /** Written once, before the channel is published. */
    @SuppressWarnings("NullAway.Init")
    private ChannelOps ops;

    private volatile @Nullable String name;

    /** The serving of its CQs; null if there is none. Changed by compare-and-set. */
    private volatile @Nullable Serving server;

    CompletionChannel(Context context) {
        this.context = context;
        this.usage = Lifecycle.keepingUsers(this, context.usage());
        this.id = context.nextId();
        queue.blocksAs(this);
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
     * Names the channel, for messages, thread dumps and statistics: {@link #toString} and the
     * threads of {@link #serve} that start later bear the name. Verbs have no such name. It can be
     * changed at any time, also after the close.
     *
     * @param newName at least one character that is not white space
     * @return this channel
     * @throws IllegalArgumentException if the name is blank
     */
    @CanIgnoreReturnValue
    public CompletionChannel named(String newName) {
        name = Arguments.name("newName", newName);
        return this;
    }

    /**
     * The name of the channel.
     *
     * @return the last argument of {@link #named}, or null
     */
    public @Nullable String name() {
        return name;
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
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public CqEvent getCqEvent() throws InterruptedException {
        CqEvent event = CqEvent.of(take(Long.MAX_VALUE));
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
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CqEvent getCqEvent(Duration timeout) throws InterruptedException {
        return CqEvent.of(take(Arguments.nanos("timeout", timeout)));
    }

    /**
     * Receives the next completion event if there is one: what {@code ibv_get_cq_event} does on a
     * non-blocking channel. Never waits, and ignores interrupts. If CQs with direct delivery also
     * use the channel, it looks behind at most 4,096 of their events; a later call looks further.
     *
     * @return the event, or null if there is none ({@code EAGAIN})
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CqEvent tryGetCqEvent() {
        return CqEvent.of(tryTake());
    }

    /**
     * Receives the next completion event as its CQ alone, and waits for it without a time limit
     * ({@code ibv_get_cq_event}). Makes no object for the event; otherwise like {@link
     * #getCqEvent()}.
     *
     * <p>Acknowledge the event with {@link CompletionQueue#ackEvents}, alone or together with other
     * events of that CQ, before the CQ is closed. Nothing records which thread received such an
     * event. So a later close of that CQ names no thread, and waits even if its own thread holds
     * the event: without a timeout it then waits indefinitely.
     *
     * @return the CQ, which has one more unacknowledged event
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public CompletionQueue getCq() throws InterruptedException {
        CompletionQueue cq = CqEvent.cqOf(take(Long.MAX_VALUE));
        if (cq == null) {
            throw new AssertionError("an unlimited wait ended without an event");
        }
        return cq;
    }

    /**
     * Receives the next completion event as its CQ alone, waiting for at most {@code timeout};
     * otherwise like {@link #getCq()}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return the CQ, which has one more unacknowledged event, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws IllegalArgumentException if the timeout is negative
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is or was closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CompletionQueue getCq(Duration timeout) throws InterruptedException {
        return CqEvent.cqOf(take(Arguments.nanos("timeout", timeout)));
    }

    /**
     * Receives the next completion event as its CQ alone if there is one: like {@link
     * #tryGetCqEvent}, and otherwise like {@link #getCq()}.
     *
     * @return the CQ, which has one more unacknowledged event, or null if there is none
     * @throws IllegalStateException if the channel is being served ({@link #serve})
     * @throws ClosedException if the channel is closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable CompletionQueue tryGetCq() {
        return CqEvent.cqOf(tryTake());
    }

    /**
     * The channel's file descriptor, for the program's own epoll set. It is readable while {@link
     * #tryGetCqEvent} has an event to return, or throws, because the device has failed. That method
     * reads it; the program only waits for it. While threads wait on this channel, they may get the
     * event instead.
     *
     * <p>On a libibverbs device this is {@code ibv_comp_channel.fd}. On {@code soft0} and {@code
     * strict0} it is an eventfd, made at the first call. From then on, raising an event on this
     * channel takes a lock, and each change between none and some is a system call.
     *
     * @return the file descriptor, which is non-blocking; only the channel may read or close it
     * @throws ClosedException if the channel is closed
     * @throws UnsupportedOperationException if the device is embedded, and native access is not
     *     enabled, or the system has no {@code eventfd(2)}
     * @throws VerbsException {@code EMFILE} or {@code ENFILE} if there is no descriptor left
     */
    public int fd() {
        usage.ensureOpen();
        if (ops.feed() != null) {
            return ops.fd();
        }
        int fd = queue.fd();
        if (fd < 0) {
            fd = queue.watch(Verbs.readyFd(this));
            if (usage.isClosed()) { // a closer that has not seen the descriptor is seen here
                queue.unwatch();
                throw new ClosedException(this);
            }
        }
        return fd;
    }

    private @Nullable QueuedCq tryTake() {
        requireNotServed();
        try {
            return queue.tryTake();
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended(this, e);
        }
    }

    private @Nullable QueuedCq take(long nanos) throws InterruptedException {
        requireNotServed();
        RecordedWait wait = Recorder.beginWait();
        QueuedCq taken = null;
        try {
            taken = queue.take(Fairness.before(queue, nanos));
            return taken;
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended(this, e);
        } finally {
            Recorder.endWait(wait, this, "getCqEvent", taken != null);
        }
    }

    /**
     * Starts virtual threads that run {@code handler} for each batch of completions of the
     * channel's CQs, until they are stopped or interrupted, or the channel is closed: see {@link
     * Serving}, also for threads of your own. The threads are named after the channel, with a
     * number. What the handler throws is reported, and serving goes on ({@link
     * FailurePolicy#REPORT}).
     *
     * <p>Each event wakes one of the threads. Completions of one CQ are handled in order, by one
     * thread at a time. The CQs are armed when serving begins, or when they are created.
     *
     * @param handler what to run
     * @param threads how many, 1 to 65536: for handlers that block, as many as may block at the
     *     same time
     * @return the handle to stop them
     * @throws IllegalArgumentException if {@code threads} is out of range
     * @throws IllegalStateException if the channel is being served
     * @throws ClosedException if the channel is closed
     */
    public Serving serve(ChannelHandler handler, int threads) {
        Arguments.inRange("threads", threads, 1, MAX_THREADS, "threads of one call");
        AtomicInteger started = new AtomicInteger();
        return Serving.of(this, handler, FailurePolicy.REPORT)
                .start(
                        task ->
                                Thread.ofVirtual()
                                        .name(this + "/handler-" + started.incrementAndGet())
                                        .unstarted(task),
                        threads);
    }

    /** Only this may receive events from now on, until {@link #served}. */
    void lendTo(Serving serving) {
        usage.ensureOpen();
        if (!SERVER.compareAndSet(this, null, serving)) {
            throw new IllegalStateException(this + " is being served by another handler" + by());
        }
        // Second: a CQ that is created meanwhile is among these, or its creator sees the server.
        boolean raised = false;
        try {
            cqs().forEach(cq -> cq.ledger().raise());
            raised = true;
        } finally {
            if (!raised) { // no memory, say, or no stack, which a call would need
                server = null;
            }
        }
    }

    void served(Serving by) {
        SERVER.compareAndSet(this, by, null);
    }

    /** A CQ of this channel was created. */
    void joined(CompletionQueue cq) {
        if (server != null && !cq.isDirect()) {
            cq.ledger().raise(); // a thread arms it
        }
    }

    /** The CQs that deliver to this channel now, in the order of their creation. */
    List<CompletionQueue> cqs() {
        List<CompletionQueue> cqs = new ArrayList<>();
        for (Object user : usage.openUsers()) {
            if (user instanceof CompletionQueue cq && !cq.isDirect()) {
                cqs.add(cq);
            }
        }
        cqs.sort(Comparator.comparingInt(CompletionQueue::id));
        return cqs;
    }

    /** The serving of its CQs now; null if there is none. */
    @Nullable Serving server() {
        return server;
    }

    private void requireNotServed() {
        if (server != null) {
            throw new IllegalStateException(
                    this
                            + " is being served"
                            + by()
                            + ": its handler gets the completions. Stop serving first");
        }
    }

    /** The threads that serve it, for messages. */
    private String by() {
        Serving now = server;
        return now == null ? "" : now.byThread();
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
                queue.unwatch();
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

    int id() {
        return id;
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

    /** The device's name, the channel's number, and the name that it was given, if any. */
    @Override
    public String toString() {
        String given = name;
        return context + "/channel-" + id + (given == null ? "" : ":" + given);
    }
}
