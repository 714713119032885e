package io.loomverbs;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * An open device ({@code struct ibv_context}), which creates everything else.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class Context implements AutoCloseable {
    static {
        LoadedClasses.besides(Context.class, EventQueue.class, LoadedClasses.class, Recorder.class);
    }

    /** In place of the fields of an extended CQ: this CQ is not one. */
    private static final int PLAIN = -1;

    private final Device device;
    private final ContextOps ops;
    private final DeviceAttributes attributes;
    private final AsyncEvents asyncEvents;
    private final VectorLoad vectors;
    private final QpNumbers<QueuePair> qps = new QpNumbers<>();
    private final Lifecycle usage = new Lifecycle(this);
    private final AtomicInteger lastId = new AtomicInteger();

    private final LayerWaits layerWaits = new LayerWaits();

    /** The ports that {@link #fixedPort} knows, by their numbers. */
    private final ConcurrentHashMap<Integer, PortAttributes> ports = new ConcurrentHashMap<>(2);

    Context(Device device, DeviceOps deviceOps) {
        this.device = device;
        this.asyncEvents = new AsyncEvents(this);
        this.ops =
                deviceOps.open(
                        usage.isTracked() ? WeakListeners.of(asyncEvents) : asyncEvents::raisePort);
        try {
            asyncEvents.fetchedFrom(ops.asyncFeed());
            this.attributes = DeviceAttributes.of(ops.queryDevice());
            this.vectors = new VectorLoad(Math.max(1, attributes.numCompVectors()));
            OpenObjects.opened(this);
            AllocatedMemory.contextOpened(); // last: nothing takes that back
        } catch (Throwable t) {
            closeAfter(t, this, ops);
            throw t;
        }
    }

    /** Closes a device that was opened and cannot be used. */
    private static void closeAfter(Throwable cause, Context half, ContextOps ops) {
        try {
            ops.close();
        } catch (DeviceException e) {
            cause.addSuppressed(e);
        }
        OpenObjects.closed(half);
        OpenTicket ticket = half.usage.ticket();
        if (ticket != null) {
            LeakWatch.SHARED.closed(ticket);
        }
        half.asyncEvents.close();
    }

    /**
     * The device that was opened.
     *
     * @return the device
     */
    public Device device() {
        return device;
    }

    /**
     * The device's capabilities and limits ({@code ibv_query_device}).
     *
     * @return the attributes, which do not change while the device is open
     */
    public DeviceAttributes attributes() {
        return attributes;
    }

    /**
     * What the device reports about its optional features ({@code ibv_query_device_ex}).
     *
     * @return the attributes, asked for at each call
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public ExtendedDeviceAttributes extendedAttributes() {
        usage.ensureOpen();
        try {
            return ExtendedDeviceAttributes.of(ops.queryDeviceEx());
        } catch (DeviceException e) {
            throw failed("ibv_query_device_ex", e);
        }
    }

    /**
     * How many completion vectors there are ({@code num_comp_vectors}): the interrupts among which
     * CQs can be spread.
     *
     * @return at least 1; vectors count from 0
     */
    public int numCompVectors() {
        return attributes.numCompVectors();
    }

    /**
     * Chooses a completion vector for a new CQ, so that not all CQs interrupt one processor. Two
     * threads that choose at once may get the same. A device with one vector always gives 0.
     *
     * @param policy how to choose
     * @return a vector for {@code createCq} or {@code createDirectCq}
     * @throws ClosedException if the context is closed
     */
    public int chooseCompVector(VectorPolicy policy) {
        Arguments.notNull(policy, "policy");
        usage.ensureOpen();
        return vectors.choose(policy);
    }

    /**
     * The completion vector for a hint, such as the number of a processor or of a worker: the same
     * hint always gives the same vector, and successive hints successive vectors.
     *
     * @param hint any number
     * @return a vector for {@code createCq} or {@code createDirectCq}
     */
    public int compVectorFor(int hint) {
        return Math.floorMod(hint, numCompVectors());
    }

    /**
     * How many open CQs of this context are on a completion vector.
     *
     * @param vector the vector, from 0 on
     * @return the number at this moment
     * @throws IllegalArgumentException if there is no such vector
     */
    public int cqsOnCompVector(int vector) {
        Arguments.inRange(
                "vector", vector, 0, numCompVectors() - 1, "num_comp_vectors of " + device);
        return vectors.of(vector);
    }

    /**
     * The processors that serve the interrupt of a completion vector, where the system reports
     * them: in {@code /proc/interrupts} and {@code /proc/irq}, by the name that the driver gave the
     * interrupt. Vectors of {@code soft0} and soft-RoCE have no interrupt: on {@code soft0}, the
     * thread whose request completes raises the events of all CQs, whatever their vector. Reads
     * files, so call it once and not for each event.
     *
     * @param vector the vector, from 0 on
     * @return the numbers of the processors, in order; none if there is no interrupt, or the system
     *     does not report it
     * @throws IllegalArgumentException if there is no such vector
     * @throws ClosedException if the context is closed
     */
    public List<Integer> compVectorCpus(int vector) {
        usage.ensureOpen();
        Arguments.inRange(
                "vector", vector, 0, numCompVectors() - 1, "num_comp_vectors of " + device);
        return ops.compVectorCpus(vector).stream().boxed().toList();
    }

    QpNumbers<QueuePair> qps() {
        return qps;
    }

    VectorLoad vectors() {
        return vectors;
    }

    /**
     * The attributes of a port, including its current state ({@code ibv_query_port}).
     *
     * @param port the port, from 1 on
     * @return its attributes
     * @throws IllegalArgumentException if there is no such port
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public PortAttributes port(int port) {
        checkPort("port", port);
        usage.ensureOpen();
        try {
            return PortAttributes.of(ops.queryPort(port));
        } catch (DeviceException e) {
            throw failed("ibv_query_port", e);
        }
    }

    /**
     * Distinguishes a refusal from a close: a context that a closer has just closed refuses every
     * call.
     */
    private RuntimeException failed(String verb, DeviceException e) {
        return ops.isClosed() ? new ClosedException(this) : VerbsException.of(verb, e);
    }

    /**
     * A GID of a port ({@code ibv_query_gid}).
     *
     * @param port the port, from 1 on
     * @param index which one, from 0 on
     * @return the GID; all zero if the port has none there
     * @throws IllegalArgumentException if there is no such port or index
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public Gid gid(int port, int index) {
        int length = fixedPort(port).gidTableLength();
        Arguments.inRange("index", index, 0, length - 1, "gid_tbl_len of port " + port);
        try {
            return Gid.of(ops.queryGid(port, index));
        } catch (DeviceException e) {
            throw failed("ibv_query_gid", e);
        }
    }

    /**
     * A GID of a port, its type and its network interface ({@code ibv_query_gid_ex}).
     *
     * @param port the port, from 1 on
     * @param index which one, from 0 on
     * @return the entry, or null if the port has no GID at that index
     * @throws IllegalArgumentException if there is no such port or index
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public @Nullable GidEntry gidEntry(int port, int index) {
        int length = port(port).gidTableLength();
        Arguments.inRange("index", index, 0, length - 1, "gid_tbl_len of port " + port);
        try {
            GidAttr gid = ops.queryGidEx(port, index);
            return gid == null ? null : GidEntry.of(port, gid);
        } catch (DeviceException e) {
            throw failed("ibv_query_gid_ex", e);
        }
    }

    /**
     * The GIDs that a port has ({@code ibv_query_gid_table}).
     *
     * @param port the port, from 1 on
     * @return the port's GIDs, by index
     * @throws IllegalArgumentException if there is no such port
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public List<GidEntry> gids(int port) {
        checkPort("port", port);
        usage.ensureOpen();
        try {
            return ops.queryGidTable(port).stream().map(gid -> GidEntry.of(port, gid)).toList();
        } catch (DeviceException e) {
            throw failed("ibv_query_gid_table", e);
        }
    }

    /**
     * A partition key of a port ({@code ibv_query_pkey}).
     *
     * @param port the port, from 1 on
     * @param index which one, from 0 on: the {@code pkeyIndex} of {@link QpAttributes}
     * @return 16 bits; the highest is set if the port is a full member of the partition. 0 if there
     *     is no key at that index
     * @throws IllegalArgumentException if there is no such port or index
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public int pkey(int port, int index) {
        int length = port(port).pkeyTableLength();
        Arguments.inRange("index", index, 0, length - 1, "pkey_tbl_len of port " + port);
        try {
            return ops.queryPkey(port, index);
        } catch (DeviceException e) {
            throw failed("ibv_query_pkey", e);
        }
    }

    /**
     * The index of a partition key ({@code ibv_get_pkey_index}).
     *
     * @param port the port, from 1 on
     * @param pkey the key, 16 bits, with the highest one as {@link #pkey} gives it
     * @return the first index at which the port has that key, for the {@code pkeyIndex} of {@link
     *     QpAttributes}; -1 if it has none
     * @throws IllegalArgumentException if there is no such port, or the key has more bits
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public int pkeyIndex(int port, int pkey) {
        Arguments.inRange("pkey", pkey, 0, 0xffff, "the bits of a key");
        int length = port(port).pkeyTableLength();
        try {
            for (int i = 0; i < length; i++) {
                if (ops.queryPkey(port, i) == pkey) {
                    return i;
                }
            }
            return -1;
        } catch (DeviceException e) {
            throw failed("ibv_get_pkey_index", e);
        }
    }

    /**
     * The GID that a queue pair uses by default. On Ethernet it is the one with the widest reach:
     * of RoCE version 2 and IPv4, else of routed IPv6, else a link-local one. On InfiniBand it is
     * the first.
     *
     * @param port the port, from 1 on
     * @return its index; 0 if the port has no GID
     * @throws IllegalArgumentException if there is no such port
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device fails
     */
    public int defaultGidIndex(int port) {
        return GidChoice.farthest(this, port);
    }

    /**
     * Creates a completion channel ({@code ibv_create_comp_channel}).
     *
     * @return the channel
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device refuses: {@code EMFILE} or {@code ENFILE} when there are
     *     too many open files
     */
    public CompletionChannel createCompChannel() {
        return Lifecycle.create(
                "ibv_create_comp_channel",
                () -> new CompletionChannel(this).created(ops.createCompChannel()),
                usage);
    }

    /**
     * Creates a completion queue whose events are delivered by {@code channel} ({@code
     * ibv_create_cq}).
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @param cqContext any object; each event returns it
     * @param channel where its events are delivered; null for a CQ that is only polled
     * @param compVector the completion vector that signals its events, 0 to {@code numCompVectors()
     *     - 1}
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} or {@code compVector} is out of range, or the
     *     channel is of another context
     * @throws ClosedException if the context or the channel is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createCq(
            int cqe,
            @Nullable Object cqContext,
            @Nullable CompletionChannel channel,
            int compVector) {
        Delivery delivery = channel == null ? Delivery.NONE : Delivery.CHANNEL;
        return createCq(
                cqe, cqContext, channel, compVector, delivery, WaitStrategy.ADAPTIVE, PLAIN);
    }

    /**
     * Creates a completion queue with direct delivery: its events wake only threads that wait for
     * this CQ, in {@link CompletionQueue#await}, {@link CompletionQueue#serve} or {@link
     * CompletionQueue#getCqEvent()}.
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @param cqContext any object; each event returns it
     * @param channel the channel whose file descriptor carries its events; null for one of the
     *     context's own
     * @param compVector the completion vector that signals its events, 0 to {@code numCompVectors()
     *     - 1}
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} or {@code compVector} is out of range, or the
     *     channel is of another context
     * @throws ClosedException if the context or the channel is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createDirectCq(
            int cqe,
            @Nullable Object cqContext,
            @Nullable CompletionChannel channel,
            int compVector) {
        return createDirectCq(cqe, cqContext, channel, compVector, WaitStrategy.ADAPTIVE);
    }

    /**
     * Creates a completion queue with direct delivery, and says how threads wait for its
     * completions.
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @param cqContext any object; each event returns it
     * @param channel the channel whose file descriptor carries its events; null for one of the
     *     context's own
     * @param compVector the completion vector that signals its events, 0 to {@code numCompVectors()
     *     - 1}
     * @param strategy how {@link CompletionQueue#await} and {@link CompletionQueue#serve} wait
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} or {@code compVector} is out of range, or the
     *     channel is of another context
     * @throws ClosedException if the context or the channel is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createDirectCq(
            int cqe,
            @Nullable Object cqContext,
            @Nullable CompletionChannel channel,
            int compVector,
            WaitStrategy strategy) {
        Arguments.notNull(strategy, "strategy");
        return createCq(cqe, cqContext, channel, compVector, Delivery.DIRECT, strategy, PLAIN);
    }

    /**
     * Creates a completion queue with direct delivery, without a context object, on vector 0, and
     * says how threads wait for its completions.
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @param strategy how {@link CompletionQueue#await} and {@link CompletionQueue#serve} wait
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} is out of range
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createDirectCq(int cqe, WaitStrategy strategy) {
        return createDirectCq(cqe, null, null, 0, strategy);
    }

    /**
     * Creates a completion queue with direct delivery, without a context object, on vector 0.
     *
     * @param cqe how many completions it must be able to hold; the device may give more
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} is out of range
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createDirectCq(int cqe) {
        return createDirectCq(cqe, null, null, 0);
    }

    /**
     * Creates an extended completion queue ({@code ibv_create_cq_ex}): one whose completions have
     * more fields, such as the time when the device did the work. It can do everything that any
     * other CQ can.
     *
     * <p>On a libibverbs device a poll reads each completion by several calls of the driver ({@code
     * ibv_start_poll}, one for each field, {@code ibv_end_poll}) instead of one for all, so it
     * takes longer.
     *
     * @param config its size, delivery and fields
     * @return the CQ
     * @throws IllegalArgumentException if {@code cqe} or {@code compVector} is over the device's
     *     limit, or the channel is of another context
     * @throws ClosedException if the context or the channel is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP} if it has no extended CQs,
     *     or not these fields, which the message names; {@code ENOMEM} when it has too many CQs
     */
    public CompletionQueue createCqEx(CqConfig config) {
        Arguments.notNull(config, "config");
        CompletionChannel channel = config.channel();
        return createCq(
                config.cqe(),
                config.cqContext(),
                channel,
                config.compVector(),
                config.isDirect()
                        ? Delivery.DIRECT
                        : channel == null ? Delivery.NONE : Delivery.CHANNEL,
                config.strategy(),
                WcField.flags(config.fields()));
    }

    /**
     * The device's clock ({@code ibv_query_rt_values_ex}), by which completions have {@link
     * WorkCompletions#timestamp}. {@link ExtendedDeviceAttributes#hcaCoreClock} is its frequency.
     *
     * @return ticks, of which only the bits of {@link
     *     ExtendedDeviceAttributes#completionTimestampMask} are valid
     * @throws ClosedException if the context is closed
     * @throws VerbsException {@code EOPNOTSUPP} if the device has no such clock; or if it fails
     */
    public long rawClock() {
        usage.ensureOpen();
        try {
            return ops.queryRawClock();
        } catch (DeviceException e) {
            throw failed("ibv_query_rt_values_ex", e);
        }
    }

    private CompletionQueue createCq(
            int cqe,
            @Nullable Object cqContext,
            @Nullable CompletionChannel channel,
            int compVector,
            Delivery delivery,
            WaitStrategy strategy,
            int wcFlags) {
        Arguments.inRange("cqe", cqe, 1, attributes.maxCqe(), "max_cqe of " + device);
        Arguments.inRange(
                "compVector", compVector, 0, numCompVectors() - 1, "num_comp_vectors of " + device);
        if (channel != null) {
            Arguments.sameContext("channel", channel, channel.context(), this, "the CQ");
        }
        CompletionQueue result =
                Lifecycle.create(
                        wcFlags == PLAIN ? "ibv_create_cq" : "ibv_create_cq_ex",
                        () -> {
                            ChannelOps carrier = carrier(channel, delivery);
                            EventQueue queue = queue(channel, carrier, delivery);
                            CompletionQueue cq =
                                    new CompletionQueue(
                                            this,
                                            cqContext,
                                            channel,
                                            compVector,
                                            delivery,
                                            strategy,
                                            Math.max(0, wcFlags),
                                            queue);
                            boolean created = false;
                            vectors.created(compVector); // first: nothing may fail after the verb
                            try {
                                cq.created(made(cq, cqe, carrier, compVector, wcFlags));
                                created = true;
                            } finally {
                                if (!created) {
                                    vectors.destroyed(compVector);
                                    if (delivery != Delivery.CHANNEL) {
                                        queue.end(null);
                                    }
                                }
                            }
                            return cq;
                        },
                        channel == null
                                ? new Lifecycle[] {usage}
                                : new Lifecycle[] {usage, channel.usage()});
        if (channel != null) {
            channel.joined(result);
        }
        return result;
    }

    private CqOps made(
            CompletionQueue cq,
            int cqe,
            @Nullable ChannelOps carrier,
            int compVector,
            int wcFlags) {
        if (wcFlags == PLAIN) {
            return ops.createCq(cqe, carrier, compVector, cq.listener());
        }
        try {
            return ops.createCqEx(cqe, carrier, compVector, wcFlags, cq.listener());
        } catch (DeviceException e) {
            if (e.errno() == Errno.EOPNOTSUPP) {
                throw new DeviceException(
                        e.errno(), e.getMessage() + "; " + unsupported(wcFlags) + " by " + device);
            }
            throw e;
        }
    }

    private static String unsupported(int wcFlags) {
        return wcFlags == 0
                ? "extended CQs are not supported"
                : WcField.of(wcFlags) + " is not supported";
    }

    /** The channel of a CQ's events; null for a CQ without events, or whose events need none. */
    private @Nullable ChannelOps carrier(@Nullable CompletionChannel channel, Delivery delivery) {
        if (channel != null) {
            return channel.ops();
        }
        return delivery == Delivery.DIRECT ? ops.directChannel() : null;
    }

    private static EventQueue queue(
            @Nullable CompletionChannel channel, @Nullable ChannelOps carrier, Delivery delivery) {
        return channel != null && delivery == Delivery.CHANNEL
                ? channel.queue()
                : EventQueue.ofOneCq(carrier == null ? null : carrier.feed());
    }

    /**
     * Allocates a protection domain ({@code ibv_alloc_pd}).
     *
     * @return the protection domain
     * @throws ClosedException if the context is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many
     */
    public ProtectionDomain allocPd() {
        return Lifecycle.create(
                "ibv_alloc_pd", () -> new ProtectionDomain(this).created(ops.allocPd()), usage);
    }

    /**
     * Receives the next asynchronous event of the device, its ports, CQs or queue pairs, and waits
     * for it without a time limit ({@code ibv_get_async_event}).
     *
     * @return the event; close it to acknowledge it
     * @throws InterruptedException if the thread was interrupted and was given no event
     * @throws ClosedException if the context is or was closed
     * @throws VerbsException if the device has failed
     */
    public AsyncEvent getAsyncEvent() throws InterruptedException {
        AsyncEvent event;
        do {
            event = asyncEvents.take(Long.MAX_VALUE);
        } while (event == null);
        return event;
    }

    /**
     * Receives the next asynchronous event, waiting for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return the event, or null if none came in time; close it to acknowledge it
     * @throws InterruptedException if the thread was interrupted and was given no event
     * @throws IllegalArgumentException if the timeout is negative
     * @throws ClosedException if the context is or was closed
     * @throws VerbsException if the device has failed
     */
    public @Nullable AsyncEvent getAsyncEvent(Duration timeout) throws InterruptedException {
        return asyncEvents.take(Arguments.nanos("timeout", timeout));
    }

    /**
     * The state of the context's CQs, channels and waiting threads, and what they did so far. Stops
     * no thread, and never waits for long. It takes the locks of all event queues, one after the
     * other, so call it at most a few times a second.
     *
     * @return a snapshot, which does not change
     * @throws ClosedException if the context is closed
     */
    public ContextStats stats() {
        usage.ensureOpen();
        return new Observation(this).stats();
    }

    /**
     * The same as {@link #stats}, as text for people: the CQs and channels, each with its class and
     * identity hash, which thread dumps print for threads that wait for it; the waiting threads,
     * with what they wait for and for how long; and what looks wrong. The form may change.
     *
     * @return some lines, each with a line feed
     * @throws ClosedException if the context is closed
     */
    public String dump() {
        usage.ensureOpen();
        return Dump.of(this);
    }

    /**
     * Adds waits to those that {@link #stats} and {@link #dump} list: those of threads that wait in
     * a layer above this one, for something that the layer provides. {@code io.loomverbs.blocking}
     * does so for its requests and pools. If such a thread also waits for an event of this context,
     * only the layer's entry is listed.
     *
     * <p>The context refers to {@code waits} weakly: keep a reference to it as long as the context
     * should call it. A closed context does not call it any more.
     *
     * @param waits which threads wait now; called by each {@code stats} and {@code dump}, on the
     *     thread that calls these, so it must not wait. What it throws, they throw
     */
    public void addWaits(Supplier<? extends Collection<WaitStats>> waits) {
        Arguments.notNull(waits, "waits");
        layerWaits.add(waits);
    }

    LayerWaits layerWaits() {
        return layerWaits;
    }

    /**
     * Closes the device ({@code ibv_close_device}). Threads that wait for asynchronous events get a
     * {@link ClosedException}. Closing again does nothing.
     *
     * @throws VerbsException {@code EBUSY} while anything that was created in the context is open;
     *     nothing has changed then
     */
    @Override
    public void close() {
        int rc;
        try {
            rc =
                    usage.close(
                            () -> {
                                ops.close(); // may refuse: then threads keep waiting
                                return 0;
                            },
                            () -> {
                                OpenObjects.closed(this);
                                AllocatedMemory.contextClosed();
                            });
        } catch (DeviceException e) {
            throw VerbsException.of("ibv_close_device", e);
        } finally {
            if (usage.isClosed()) {
                asyncEvents.close(); // once is enough, more does no harm
            }
        }
        if (rc == Lifecycle.IN_USE) {
            throw BusyMessage.refusal("ibv_close_device", this, usage);
        }
    }

    /**
     * A port, for the attributes that never change: the lengths of its tables, its largest MTU, its
     * link layer. Queried once, since every change of a queue pair needs them, and a device may
     * take long to answer.
     */
    PortAttributes fixedPort(int port) {
        usage.ensureOpen();
        PortAttributes known = ports.get(port);
        if (known == null) {
            known = port(port);
            ports.put(port, known);
        }
        return known;
    }

    void checkPort(String name, int port) {
        Arguments.inRange(
                name, port, 1, attributes.physicalPortCount(), "phys_port_cnt of " + device);
    }

    ContextOps openOps() {
        usage.ensureOpen();
        return ops;
    }

    Lifecycle usage() {
        return usage;
    }

    AsyncEvents asyncEvents() {
        return asyncEvents;
    }

    /** A number for the name of an object of this context in messages. */
    int nextId() {
        return lastId.incrementAndGet();
    }

    /** The device's name. */
    @Override
    public String toString() {
        return device.name();
    }
}
