package io.loomverbs;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Ledger;
import io.loomverbs.internal.jfr.RecordedArm;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Set;

/**
 * A completion queue: {@code struct ibv_cq}. It receives the completions of work requests; an event
 * announces new ones.
 *
 * <p>Event delivery is fixed at creation. A CQ with <i>direct delivery</i> ({@link
 * Context#createDirectCq}) wakes threads that wait for this CQ: {@link #serve} runs a handler for
 * each batch of completions on its own virtual thread, {@link #await} waits for completions, {@link
 * #getCqEvent()} for an event. The events of a CQ <i>on a channel</i> ({@link Context#createCq})
 * are received with {@link CompletionChannel#getCqEvent()}. A CQ without a channel can only be
 * polled.
 *
 * <p>The rules of verbs apply. An event is raised only if the CQ is armed ({@link #reqNotify}), and
 * only for a completion added after that. One arm raises at most one event. Every received event
 * must be acknowledged. So: arm, poll until empty, wait, acknowledge, and repeat. {@link #await}
 * and {@link #serve} follow this protocol.
 *
 * <p>A CQ must hold everything that can complete between two polls; otherwise it overruns and
 * becomes unusable ({@link AsyncEventType#CQ_ERR}). When a queue pair goes to state ERR, that is
 * every posted request, signaled or not: {@code max_send_wr} and {@code max_recv_wr} of all its
 * queue pairs together are always enough.
 *
 * <p>Safe for use by any number of threads. Threads that poll the same CQ share its completions. At
 * full load the JDK's scheduler can end a timed wait of a virtual thread some milliseconds late:
 * see "Full load" in the guide.
 *
 * @since 0.1.0
 */
public final class CompletionQueue implements AutoCloseable {
    private static final int MAX_MODERATION = 0xffff;
    private static final int NANOS_PER_MICRO = 1000;
    private static final VarHandle ARMED;

    static {
        try {
            ARMED =
                    MethodHandles.lookup()
                            .findVarHandle(CompletionQueue.class, "armed", RecordedArm.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Context context;
    private final @Nullable CompletionChannel channel;
    private final int compVector;
    private final Delivery delivery;
    private final WaitStrategy strategy;

    /** The fields of completions beyond those of a plain CQ: bits of {@link WcField}. */
    private final int wcFlags;

    private final CqDelivery ledger;
    private final @Nullable DirectReceiver direct;
    private final @Nullable EventTracking tracking = EventTracking.ifEnabled();
    private final Lifecycle usage;
    private final CqRoom room = new CqRoom();
    private final int id;

    /** Null unless it delivers to a channel. */
    private final @Nullable HandlingTurn turn;

    private volatile @Nullable String name;

    /** The arm whose event no thread has received yet, while such times are recorded. */
    private volatile @Nullable RecordedArm armed;

    /** Written once, before the CQ is published; the device may raise events earlier. */
    @SuppressWarnings("NullAway.Init")
    private CqOps ops;

    CompletionQueue(
            Context context,
            @Nullable Object cqContext,
            @Nullable CompletionChannel channel,
            int compVector,
            Delivery delivery,
            WaitStrategy strategy,
            int wcFlags,
            EventQueue queue) {
        this.context = context;
        this.channel = channel;
        this.compVector = compVector;
        this.delivery = delivery;
        this.strategy = strategy;
        this.wcFlags = wcFlags;
        this.ledger = new CqDelivery(queue, this, cqContext);
        this.direct = delivery == Delivery.DIRECT ? new DirectReceiver(this, queue) : null;
        this.usage =
                channel == null
                        ? new Lifecycle(this, context.usage())
                        : new Lifecycle(this, context.usage(), channel.usage());
        this.id = context.nextId();
        this.turn = delivery == Delivery.CHANNEL ? new HandlingTurn() : null;
        if (direct != null) {
            queue.blocksAs(this);
        }
    }

    void created(CqOps created) {
        this.ops = created;
        if (direct != null) {
            direct.created(created.countsCompletions());
        }
    }

    CqListener listener() {
        return usage.isTracked() ? WeakListeners.of(ledger, context.asyncEvents()) : ledger;
    }

    /** The device reports an asynchronous event of the CQ. */
    void asyncEvent(int type) {
        failOn(type);
        context.asyncEvents().raise(type, this, ledger);
    }

    /** Ends the waits for a CQ that can receive no more completions. */
    private void failOn(int type) {
        if (type == Ibv.EVENT_CQ_ERR && direct != null) {
            ledger.queue().end(new VerbsException("ibv_get_cq_event", Errno.EIO, "CQ error"));
        }
    }

    /**
     * The context that the CQ was created in.
     *
     * @return the context
     */
    public Context context() {
        return context;
    }

    /**
     * The context object that was given when the CQ was created ({@code cq_context}).
     *
     * @return the object, or null
     */
    public @Nullable Object cqContext() {
        return ledger.cqContext;
    }

    /**
     * Names the CQ, for messages, thread dumps and statistics: {@link #toString} and the threads of
     * {@link #serve(CompletionHandler)} that start later bear the name. Verbs have no such name. It
     * can be changed at any time, also after the close.
     *
     * @param newName at least one character that is not white space
     * @return this CQ
     * @throws IllegalArgumentException if the name is blank
     */
    @CanIgnoreReturnValue
    public CompletionQueue named(String newName) {
        name = Arguments.name("newName", newName);
        return this;
    }

    /**
     * The name of the CQ.
     *
     * @return the last argument of {@link #named}; else its {@code cq_context} if that is a string;
     *     else null
     */
    public @Nullable String name() {
        String given = name;
        return given == null && ledger.cqContext instanceof String text ? text : given;
    }

    /**
     * The channel that carries the CQ's events.
     *
     * @return the channel that was given when the CQ was created, or null
     */
    public @Nullable CompletionChannel channel() {
        return channel;
    }

    /**
     * The completion vector that signals the CQ's events.
     *
     * @return 0 to {@code numCompVectors() - 1}
     */
    public int compVector() {
        return compVector;
    }

    /**
     * Whether the CQ has direct delivery, so that {@link #await}, {@link #serve} and {@link
     * #getCqEvent()} can be used.
     *
     * @return false if its events are delivered by its channel, or not at all
     */
    public boolean isDirect() {
        return direct != null;
    }

    /**
     * How {@link #await} and {@link #serve} wait.
     *
     * @return the strategy that was given when the CQ was created, else {@link
     *     WaitStrategy#ADAPTIVE}
     */
    public WaitStrategy waitStrategy() {
        return strategy;
    }

    /**
     * The fields that the completions of the CQ have beyond those of a plain CQ.
     *
     * @return the fields that {@link Context#createCqEx} was asked for, as a new set; none if the
     *     CQ is not an extended one
     */
    public Set<WcField> fields() {
        return WcField.of(wcFlags);
    }

    /** Whether its completions have a field. */
    boolean has(WcField field) {
        return (wcFlags & field.flag()) != 0;
    }

    /**
     * How many completions the CQ can hold ({@code cqe}).
     *
     * @return at least what was asked for
     */
    public int cqe() {
        return ops.cqe();
    }

    /**
     * How many completions were polled, by all threads together, as {@link CqStats#completions} has
     * it. A thread that has polled alone gets just what it has taken.
     *
     * @return the number since the CQ was created
     */
    public long completions() {
        return ops.polled();
    }

    /**
     * Changes the size of the CQ ({@code ibv_resize_cq}). It keeps its completions. It must still
     * hold all that can complete between two polls, as when it was created.
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @throws IllegalArgumentException if {@code cqe} is out of range
     * @throws IllegalStateException if more than that are {@linkplain #reserve reserved}, as by
     *     blocking requests that are open
     * @throws ClosedException if the CQ is closed
     * @throws VerbsException {@code EINVAL} if it holds more completions than that, or has overrun;
     *     {@code EOPNOTSUPP} if the device cannot do it. Nothing has changed then
     */
    public void resize(int cqe) {
        Arguments.inRange("cqe", cqe, 1, context.attributes().maxCqe(), "max_cqe of " + context);
        ensureOpen();
        int rc = room.resize(this, cqe, () -> ops.resize(cqe));
        if (rc != 0) {
            ensureNotDestroyed();
            throw VerbsException.refused(
                    "ibv_resize_cq", rc, this + " of " + cqe() + " to cqe " + cqe);
        }
    }

    /**
     * Keeps room in the CQ for completions of one of its users, so that all of them together never
     * overrun it. {@code io.loomverbs.blocking} does so for its requests. Room is only counted: a
     * program that shares the CQ with such a user reserves what its own queue pairs need.
     *
     * @param least how many are needed, not negative
     * @param most how many are of use, at least {@code least}
     * @return how many are reserved, until {@link #unreserve}; -1, and none are, if there is no
     *     room for {@code least}
     * @throws IllegalArgumentException if a number is out of range
     * @throws ClosedException if the CQ is closed
     */
    public int reserve(int least, int most) {
        ensureOpen();
        return room.reserve(this, least, most);
    }

    /**
     * Ends what {@link #reserve} began, for some completions or all. Also after the close.
     *
     * @param completions for how many
     * @throws IllegalArgumentException if the number is negative
     * @throws IllegalStateException if fewer are reserved; nothing has changed then
     */
    public void unreserve(int completions) {
        room.unreserve(this, completions);
    }

    /**
     * For how many completions room is reserved now.
     *
     * @return the number, by all users together
     */
    public int reserved() {
        return room.reserved();
    }

    /**
     * Delays the events of the CQ, so that several completions raise one ({@code ibv_modify_cq}
     * with {@code IBV_CQ_ATTR_MODERATE}). An armed CQ raises its event when it got {@code count}
     * completions since it was armed, or {@code period} after the first of them, whichever comes
     * first. A value of 0 sets no such limit; if both are 0, each event is raised at once, as in a
     * new CQ.
     *
     * <p>A completion may be in the CQ for up to {@code period} before a waiting thread is woken;
     * without a period, for as long as there are fewer than {@code count}. Polling is not delayed.
     *
     * @param count how many completions, 0 to 65535
     * @param period how long, 0 to 65,535 microseconds, rounded up to whole ones
     * @throws IllegalArgumentException if a value is out of range
     * @throws ClosedException if the CQ is closed
     * @throws VerbsException {@code EOPNOTSUPP} if the device cannot do it, like soft-RoCE; {@code
     *     EINVAL} if it cannot do it with these values. Nothing has changed then
     */
    public void moderate(int count, Duration period) {
        Arguments.inRange("count", count, 0, MAX_MODERATION, "cq_count of ibv_modify_cq");
        long nanos = Arguments.nanos("period", period);
        long micros = nanos / NANOS_PER_MICRO + (nanos % NANOS_PER_MICRO == 0 ? 0 : 1);
        Arguments.inRange("period", micros, 0, MAX_MODERATION, "microseconds of ibv_modify_cq");
        ensureOpen();
        int rc = ops.moderate(count, (int) micros);
        if (rc != 0) {
            ensureNotDestroyed();
            throw VerbsException.refused(
                    "ibv_modify_cq",
                    rc,
                    this + ": moderation of " + count + " completions, " + micros + " us");
        }
    }

    /**
     * How many events were received and not acknowledged.
     *
     * @return the number at this moment
     */
    public int unackedEvents() {
        return ledger.outstanding();
    }

    /**
     * Moves as many completions as are available and fit to a batch ({@code ibv_poll_cq}), and
     * overwrites the batch. Waits only while another thread resizes or destroys the CQ. Allocates
     * nothing, except in the first poll of an extended CQ into a batch.
     *
     * <p>A completion that it takes is seen neither by other threads that poll or await, nor by the
     * handler of {@link #serve}.
     *
     * <p>A libibverbs device reports an overrun as an asynchronous event. It is read only while a
     * thread waits for anything in the context: completion events or {@link Context#getAsyncEvent}.
     * A program that only polls must ask for it.
     *
     * @param batch where they go
     * @return how many, 0 if there were none
     * @throws ClosedException if the CQ is closed
     * @throws VerbsException {@code EIO} if the CQ has overrun and is empty, or the driver cannot
     *     read it
     */
    public int poll(WorkCompletions batch) {
        Arguments.notNull(batch, "batch");
        batch.size(0);
        ensureOpen();
        // Like pollMore, but an empty batch is known not to be full.
        int n =
                wcFlags == 0
                        ? ops.poll(batch.memory(), 0, batch.capacity())
                        : pollEx(batch, 0, batch.capacity());
        if (n > 0) {
            batch.filled(n, this);
        } else if (n < 0) {
            throw notPolled(n);
        }
        return n;
    }

    int pollMore(WorkCompletions batch) {
        ensureOpen();
        int size = batch.size();
        int room = batch.capacity() - size;
        if (room == 0) {
            return size;
        }
        int n = pollTo(batch, size, room);
        if (n < 0) {
            if (size > 0) {
                return size;
            }
            throw notPolled(n);
        }
        if (n > 0) {
            batch.filled(size + n, this);
        }
        return size + n;
    }

    /** Moves at most {@code max} completions to a batch, behind those that it has: how many. */
    int pollMore(WorkCompletions batch, int max) {
        ensureOpen();
        int size = batch.size();
        int room = Math.min(max, batch.capacity() - size);
        int n = pollTo(batch, size, room);
        if (n < 0) {
            throw notPolled(n);
        }
        if (n > 0) {
            batch.filled(size + n, this);
        }
        return n;
    }

    /** Behind the {@code size} completions that the batch has. */
    private int pollTo(WorkCompletions batch, int size, int room) {
        long at = (long) size * WcStruct.BYTES;
        return wcFlags == 0 ? ops.poll(batch.memory(), at, room) : pollEx(batch, at, room);
    }

    private int pollEx(WorkCompletions batch, long at, int room) {
        return ops.pollEx(batch.memory(), at, room, batch.extras());
    }

    private VerbsException notPolled(int rc) {
        ensureNotDestroyed();
        return VerbsException.refused(
                "ibv_poll_cq", rc, this + ", which holds " + cqe() + " completions, is in error");
    }

    /**
     * Arms the CQ: the next added completion raises one event ({@code ibv_req_notify_cq}). A later
     * arm for solicited completions does not weaken an arm for all completions. Completions that
     * are already in the CQ raise no event: poll again after arming.
     *
     * @param solicitedOnly whether to raise an event only for errors and for messages that their
     *     sender marked as solicited
     * @throws IllegalStateException if the CQ has no channel and no direct delivery
     * @throws ClosedException if the CQ is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP} if it cannot tell solicited
     *     completions from others
     */
    public void reqNotify(boolean solicitedOnly) {
        ensureOpen();
        if (delivery == Delivery.NONE) {
            throw new IllegalStateException(
                    this
                            + " was created without a channel: it can be polled, but raises no"
                            + " events");
        }
        beginArm(); // first: the event may come at once
        checkArmed(ops.reqNotify(solicitedOnly), solicitedOnly);
    }

    void lowerArm() {
        ops.lowerArm();
    }

    /** Arms a CQ with direct delivery: for an event once it holds this many, or earlier. */
    void reqNotify(int completions) {
        ensureOpen();
        beginArm();
        checkArmed(completions == 1 ? ops.reqNotify(false) : ops.reqNotifyAt(completions), false);
    }

    private void checkArmed(int rc, boolean solicitedOnly) {
        if (rc != 0) {
            armed = null;
            ensureNotDestroyed();
            throw VerbsException.refused(
                    "ibv_req_notify_cq", rc, this + ", solicited_only " + solicitedOnly);
        }
    }

    /** The first arm counts: later ones do not change when the event is raised. */
    private void beginArm() {
        RecordedArm arm = Recorder.beginArm();
        if (arm == null) {
            if (armed != null) { // of an earlier recording
                armed = null;
            }
        } else if (armed == null) {
            armed = arm;
        }
    }

    /** The calling thread has received an event. Not called for most: see {@link Recorder}. */
    void receivedWhileRecording() {
        RecordedArm arm = (RecordedArm) ARMED.getAndSet(this, null);
        if (arm != null) {
            arm.ended(this);
        }
    }

    /**
     * Receives the next event of this CQ, and waits for it without a time limit. Otherwise like
     * {@link CompletionChannel#getCqEvent()}.
     *
     * @return the event
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public CqEvent getCqEvent() throws InterruptedException {
        CqEvent event = direct().get(Long.MAX_VALUE);
        if (event == null) {
            throw new AssertionError("an unlimited wait ended without an event");
        }
        return event;
    }

    /**
     * Receives the next event of this CQ, waiting for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return the event, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited, and was
     *     given no event
     * @throws IllegalArgumentException if the timeout is negative
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public @Nullable CqEvent getCqEvent(Duration timeout) throws InterruptedException {
        return direct().get(Arguments.nanos("timeout", timeout));
    }

    /**
     * Receives the next event of this CQ if there is one. Never waits, and ignores interrupts. On a
     * libibverbs device it looks behind at most 4,096 events of other CQs in their channel; a later
     * call looks further.
     *
     * @return the event, or null if there is none
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public @Nullable CqEvent tryGetCqEvent() {
        return direct().tryGet();
    }

    /**
     * Acknowledges events by count ({@code ibv_ack_cq_events}). Allocates nothing, takes no lock.
     *
     * @param n how many received events, whichever threads received them; at least 1
     * @throws IllegalArgumentException if {@code n} is less than 1
     * @throws IllegalStateException if fewer are unacknowledged; nothing has changed then
     */
    public void ackEvents(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("n is " + n + ", but must be at least 1");
        }
        int outstanding = ledger.tryAck(n);
        if (outstanding != Ledger.ACKED) {
            throw overAck(n, outstanding);
        }
        ledger.counted(n);
    }

    void ackAwaited() {
        if (ledger.tryAck(1) != Ledger.ACKED) {
            throw overAck(1, 0);
        }
    }

    IllegalStateException overAck(int n, int outstanding) {
        return new IllegalStateException(
                "n is "
                        + n
                        + ", but "
                        + this
                        + " has "
                        + Wording.count(outstanding, "unacknowledged event"));
    }

    /**
     * Waits until the batch holds at least one completion: {@link #await(WorkCompletions, int)}
     * with a minimum of 1.
     *
     * @param batch where completions go; what was in it is overwritten
     * @return how many it holds
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public int await(WorkCompletions batch) throws InterruptedException {
        return await(batch, 1, Long.MAX_VALUE, strategy);
    }

    /**
     * Waits until the batch holds at least {@code min} completions, without a time limit.
     *
     * @param batch where completions go; what was in it is overwritten
     * @param min how many to wait for, 1 to the batch's capacity
     * @return how many it holds; see {@link #await(WorkCompletions, int, Duration)}
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalArgumentException if {@code min} is out of range
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public int await(WorkCompletions batch, int min) throws InterruptedException {
        return await(batch, min, Long.MAX_VALUE, strategy);
    }

    /**
     * Waits until the batch holds at least {@code min} completions, for at most {@code timeout}:
     * polls, for a while or until completions are there if {@link #waitStrategy} says so; else
     * arms, polls again, parks, and repeats. It acknowledges the events that it receives.
     *
     * <p>No polled completion is lost. If the thread is interrupted, or the CQ is closed or fails,
     * while the batch holds fewer than {@code min} completions but at least one, this returns them,
     * the thread stays interrupted, and the next call throws.
     *
     * @param batch where completions go; what was in it is overwritten
     * @param min how many to wait for, 1 to the batch's capacity
     * @param timeout how long to wait; zero only polls
     * @return how many it holds; fewer than {@code min}, perhaps 0, at the deadline
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalArgumentException if {@code min} is out of range or the timeout is negative
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public int await(WorkCompletions batch, int min, Duration timeout) throws InterruptedException {
        return await(batch, min, Arguments.nanos("timeout", timeout), strategy);
    }

    /**
     * Waits like {@link #await(WorkCompletions, int, Duration)}, but in the way of {@code strategy}
     * instead of {@link #waitStrategy}.
     *
     * @param batch where completions go; what was in it is overwritten
     * @param min how many to wait for, 1 to the batch's capacity
     * @param timeout how long to wait; zero only polls
     * @param strategy how to wait
     * @return how many it holds; fewer than {@code min}, perhaps 0, at the deadline
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalArgumentException if {@code min} is out of range or the timeout is negative
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served by
     *     another thread ({@link #serve})
     * @throws ClosedException if the CQ is or was closed
     * @throws VerbsException {@code EIO} if the CQ has overrun
     */
    public int await(WorkCompletions batch, int min, Duration timeout, WaitStrategy strategy)
            throws InterruptedException {
        Arguments.notNull(strategy, "strategy");
        return await(batch, min, Arguments.nanos("timeout", timeout), strategy);
    }

    private int await(WorkCompletions batch, int min, long nanos, WaitStrategy how)
            throws InterruptedException {
        Arguments.notNull(batch, "batch");
        Arguments.inRange("min", min, 1, batch.capacity(), "the capacity of the batch");
        return direct().await(batch, min, nanos, how);
    }

    /**
     * Starts a virtual thread that runs {@code handler} for each batch of completions, until it is
     * stopped or interrupted, or the CQ is closed: see {@link Serving}, also for threads of your
     * own. The thread is named after the CQ. What the handler throws is reported, and serving goes
     * on ({@link FailurePolicy#REPORT}).
     *
     * <p>The handler holds no event while it runs, so it can close the CQ. It can call {@link
     * #await} for more completions. Its thread inherits the context class loader and the
     * inheritable thread locals of the caller, like any thread.
     *
     * @param handler what to run
     * @return the handle to stop it
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served
     * @throws ClosedException if the CQ is closed
     */
    public Serving serve(CompletionHandler handler) {
        return serve(toString(), handler);
    }

    /**
     * Serves like {@link #serve(CompletionHandler)}, on a thread of this name.
     *
     * @param name the name of the thread, for thread dumps and messages
     * @param handler what to run
     * @return the handle to stop it
     * @throws IllegalStateException if the CQ does not have direct delivery, or is being served
     * @throws ClosedException if the CQ is closed
     */
    public Serving serve(String name, CompletionHandler handler) {
        Arguments.notNull(name, "name");
        return Serving.of(this, handler, FailurePolicy.REPORT)
                .start(task -> Thread.ofVirtual().name(name).unstarted(task));
    }

    /**
     * Parks until every received event is acknowledged, then destroys the CQ ({@code
     * ibv_destroy_cq}). An interrupt does not end the wait; the thread stays interrupted. Closing
     * again does nothing. If two threads close concurrently, the second waits for the first.
     *
     * <p>From the start of the close no event is delivered. Events that no thread has received are
     * dropped with the CQ, as are completions. Threads that wait for this CQ get a {@link
     * ClosedException}. If the close fails, the CQ and its events are as before.
     *
     * <p>A close that waits for more than five seconds logs what it waits for. With the system
     * property {@code loomverbs.trackEvents=true} it also logs which thread received the events,
     * and where. If {@link #ackEvents} was called while several threads held events, the close
     * cannot tell which are left: until all but one are acknowledged, it names no thread, and none
     * gets {@code EDEADLK}.
     *
     * @throws VerbsException {@code EBUSY} while queue pairs use the CQ; {@code EDEADLK} if it has
     *     waited for a second while the calling thread certainly holds one of the events: it would
     *     wait for itself. If another thread acknowledges on its behalf, use {@link
     *     #close(Duration)}
     */
    @Override
    public void close() {
        CqCloser.close(this, Long.MAX_VALUE);
    }

    /**
     * Destroys the CQ like {@link #close()}, but gives up after {@code timeout}.
     *
     * @param timeout how long to wait for acknowledgements; zero not to wait at all
     * @throws IllegalArgumentException if the timeout is negative
     * @throws VerbsException {@code EBUSY} while queue pairs use the CQ; {@code ETIMEDOUT} if
     *     events are unacknowledged at the deadline; the message describes them
     */
    public void close(Duration timeout) {
        CqCloser.close(this, Arguments.nanos("timeout", timeout));
    }

    /**
     * The receiver of the events of a CQ with direct delivery.
     *
     * @throws IllegalStateException if it has none
     */
    DirectReceiver direct() {
        DirectReceiver receiver = direct;
        if (receiver == null) {
            throw new IllegalStateException(
                    this
                            + (delivery == Delivery.CHANNEL
                                    ? " delivers to its channel: use getCqEvent of " + channel
                                    : " was created without a channel: it can only be polled"));
        }
        return receiver;
    }

    CqOps openOps() {
        ensureOpen();
        return ops;
    }

    void ensureOpen() {
        if (ledger.isClosed()) {
            throw new ClosedException(this);
        }
    }

    /**
     * Distinguishes a refusal from a close: a CQ that a closer has just destroyed refuses to be
     * armed shortly before the ledger is CLOSED.
     */
    private void ensureNotDestroyed() {
        if (ops.isDestroyed()) {
            throw new ClosedException(this);
        }
    }

    Delivery delivery() {
        return delivery;
    }

    CqDelivery ledger() {
        return ledger;
    }

    EventTracking tracking() {
        if (tracking == null) {
            throw new AssertionError("events are not tracked");
        }
        return tracking;
    }

    int id() {
        return id;
    }

    /** The turn of the thread that handles completions, while the channel is being served. */
    HandlingTurn turn() {
        if (turn == null) {
            throw new AssertionError(this + " does not deliver to a channel");
        }
        return turn;
    }

    CqOps ops() {
        return ops;
    }

    Lifecycle usage() {
        return usage;
    }

    /** The device's name, the CQ's number, and the name that it was given, if any. */
    @Override
    public String toString() {
        String given = name;
        return context + "/cq-" + id + (given == null ? "" : ":" + given);
    }
}
