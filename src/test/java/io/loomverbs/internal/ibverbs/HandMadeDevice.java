package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.LibibverbsLibrary;
import io.loomverbs.internal.soft.FreshDevice;
import io.loomverbs.junit.SkippedTests;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A context, channels and CQs of libibverbs made by hand, without a device: channels are pipes into
 * which a test writes what the kernel would. What reads, acknowledges and destroys them is the real
 * libibverbs, under the real channel, poller and CQ of loomverbs.
 *
 * <p>This relies on what is private in libibverbs: where the pointer to a context's private part
 * is, and that there are little but function pointers in it. All of them are made the same function
 * here, which does nothing and returns 0. So it was tried on some versions, and only these are.
 */
@SuppressWarnings("restricted")
final class HandMadeDevice implements DeviceOps {
    /** Offset in struct ibv_comp_channel. */
    static final int CHANNEL_REFCNT = 12;

    /** Versions of rdma-core in which all of that was looked up. */
    private static final int FIRST_VERSION = 28;

    private static final int LAST_VERSION = 65;

    // struct verbs_context ends with the ibv_context; priv is below it
    private static final int CONTEXT = 1024;
    private static final int PRIV = CONTEXT - 112;
    private static final int OPS = CONTEXT + 8;
    private static final int OPS_BYTES = 256;
    private static final int PRIVATE_BYTES = 8192;
    private static final int ASYNC_FD = CONTEXT + 268;
    private static final int NUM_COMP_VECTORS = CONTEXT + 272;

    private static final int CQ_BYTES = 128;
    private static final int QP_BYTES = 160;
    private static final int QP_STATE = 56;
    private static final int MR_BYTES = 128;
    private static final int AH_BYTES = 64;
    private static final int COMP_EVENTS_COMPLETED = 120;
    private static final int ASYNC_EVENTS_COMPLETED = 124;

    private static final DeviceAttr ATTRIBUTES =
            FreshDevice.create().open((type, port) -> {}).queryDevice();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(2048, 64);
    private final Posix.Ends async;
    private final List<Made> made = new ArrayList<>();
    private final Supplier<Poller> pollers;
    private Poller poller;

    /** Whether a context has the poller, and releases it. */
    private boolean pollerIsTaken;

    private IbvContext context;
    private volatile IbvCq lastCq;

    /** Called by libibverbs for every function of the driver, with its first argument. */
    volatile LongConsumer onDriverCall = argument -> {};

    /** What the thread that raises the next event of a CQ meets instead; null for nothing. */
    volatile @Nullable Error nextError;

    /** What all functions of the driver answer. */
    volatile int driverResult;

    /** What they answer instead, by the name of the method of {@link Libibverbs} that calls. */
    volatile @Nullable ToIntFunction<String> answers;

    /** The errno with which the device refuses to be closed; 0 if it does not. */
    volatile int refusesClose;

    /** A CQ as libibverbs sees it. */
    static final class Made {
        private final MemorySegment cq;
        private final MadeChannel channel;
        private int written;

        /** What {@link #acked} was when the last event of this CQ was raised. */
        private volatile int ackedWhenRaised;

        private Made(MemorySegment cq, MadeChannel channel) {
            this.cq = cq;
            this.channel = channel;
        }

        /** An event of this CQ comes up. */
        void event() {
            synchronized (this) {
                written++;
            }
            Posix.write(channel.ends.write(), cq.address());
        }

        /** What {@link #acked} is to be from now on. */
        void acked(int n) {
            cq.set(JAVA_INT, COMP_EVENTS_COMPLETED, n);
        }

        /** How many events libibverbs was told to be acknowledged. */
        int acked() {
            return cq.get(JAVA_INT, COMP_EVENTS_COMPLETED);
        }

        int ackedWhenRaised() {
            return ackedWhenRaised;
        }

        MadeChannel channel() {
            return channel;
        }

        int asyncAcked() {
            return cq.get(JAVA_INT, ASYNC_EVENTS_COMPLETED);
        }

        synchronized int written() {
            return written;
        }

        long address() {
            return cq.address();
        }
    }

    /** A channel as the kernel sees it. */
    record MadeChannel(IbvChannel ops, Posix.Ends ends, MemorySegment memory)
            implements ChannelOps {
        @Override
        public int destroy() {
            return ops.destroy();
        }

        @Override
        public int fd() {
            return ops.fd();
        }

        @Override
        public EventFeed feed() {
            return ops.feed();
        }
    }

    private HandMadeDevice(Supplier<Poller> pollers) {
        this.pollers = pollers;
        this.poller = pollers.get();
        async = Posix.pipe();
        MemorySegment nothing = nothing();
        MemorySegment ownPart = arena.allocate(PRIVATE_BYTES, 64);
        for (int i = 0; i < PRIVATE_BYTES; i += Long.BYTES) {
            ownPart.set(JAVA_LONG, i, nothing.address());
        }
        for (int i = 0; i < OPS_BYTES; i += Long.BYTES) {
            memory.set(JAVA_LONG, OPS + i, nothing.address());
        }
        memory.set(JAVA_LONG, PRIV, ownPart.address());
        memory.set(JAVA_INT, ASYNC_FD, async.read());
        memory.set(JAVA_INT, NUM_COMP_VECTORS, 1);
    }

    /** Skips the test where libibverbs is missing or of another version. */
    static HandMadeDevice create() throws IOException {
        return create(() -> new Poller(new SchedulerCarriers(), "hand-made-poller"));
    }

    /** With one of the pollers that there are. */
    static HandMadeDevice create(Supplier<Poller> pollers) throws IOException {
        assumeLibrary();
        return new HandMadeDevice(pollers);
    }

    /** Skips the test where libibverbs is missing or of another version. */
    static void assumeLibrary() throws IOException {
        Throwable cause = LibibverbsLibrary.unavailabilityCause();
        String problem = cause != null ? cause.getMessage() : versionProblem();
        if (problem != null) {
            throw SkippedTests.withoutLibibverbs(problem);
        }
    }

    private static @Nullable String versionProblem() throws IOException {
        Pattern library = Pattern.compile("\\S*/libibverbs\\.so\\.1\\.\\d+\\.(\\d+)\\.\\d+");
        try (var maps = Files.lines(Path.of("/proc/self/maps"))) {
            List<String> lines = maps.filter(line -> line.contains("libibverbs.so")).toList();
            for (String line : lines) {
                Matcher matcher = library.matcher(line);
                if (matcher.find()) {
                    int version = Integer.parseInt(matcher.group(1));
                    return version >= FIRST_VERSION && version <= LAST_VERSION
                            ? null
                            : "that of version "
                                    + version
                                    + " is not one of "
                                    + FIRST_VERSION
                                    + " to "
                                    + LAST_VERSION
                                    + ", whose structures are known";
                }
            }
            return "its version is not known: " + lines;
        }
    }

    private MemorySegment nothing() {
        try {
            MethodHandle handle =
                    MethodHandles.lookup()
                            .bind(this, "driverCall", MethodType.methodType(int.class, long.class));
            return Linker.nativeLinker()
                    .upcallStub(handle, FunctionDescriptor.of(JAVA_INT, JAVA_LONG), arena);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @SuppressWarnings("UnusedMethod") // by libibverbs
    private int driverCall(long argument) {
        onDriverCall.accept(argument);
        ToIntFunction<String> byVerb = answers;
        return byVerb == null ? driverResult : byVerb.applyAsInt(callingVerb());
    }

    private static String callingVerb() {
        return StackWalker.getInstance()
                .walk(
                        frames ->
                                frames.filter(f -> f.getClassName().endsWith(".Libibverbs"))
                                        .map(StackWalker.StackFrame::getMethodName)
                                        .reduce("unknown", (nearer, farther) -> farther));
    }

    private void throwOnce() {
        Error error = nextError;
        if (error != null) {
            nextError = null;
            throw error;
        }
    }

    Context open() {
        return Opened.open(this);
    }

    /** What was made last. */
    Made last() {
        synchronized (made) {
            return made.getLast();
        }
    }

    /** The CQ of {@link #last}, as loomverbs has it. */
    IbvCq lastCq() {
        return lastCq;
    }

    /** A channel of the test's own, to be handed to {@link IbvContext} users; counts its CQs. */
    MadeChannel channel(Posix.Ends ends) {
        // freed by ibv_destroy_comp_channel
        MemorySegment channel = Posix.calloc(16);
        channel.set(JAVA_LONG, 0, memory.address() + CONTEXT);
        channel.set(JAVA_INT, 8, ends.read());
        return new MadeChannel(IbvChannel.of(context, channel.address()), ends, channel);
    }

    /** The next channel is made of this. */
    Posix.Ends nextEnds;

    /** The kernel reports something about a CQ. */
    void asyncEvent(Made cq, int type) {
        Posix.write(async.write(), cq.address(), type);
    }

    void portEvent(int port, int type) {
        Posix.write(async.write(), port, type);
    }

    Poller poller() {
        return poller;
    }

    private Poller pollerOfNextContext() {
        if (pollerIsTaken && !poller.tryRetain()) {
            poller = pollers.get();
        }
        pollerIsTaken = true;
        return poller;
    }

    /** The context alone; whoever takes it calls {@link #closePipe}. */
    IbvContext bareContext() {
        return new IbvContext(
                "hand-made", memory.address() + CONTEXT, (type, port) -> {}, pollerOfNextContext());
    }

    /**
     * After everything is closed: frees what libibverbs was given. What calls back from there keeps
     * this object, and its class loader, until then.
     */
    void free() {
        arena.close();
    }

    void closePipe() {
        Posix.close(async.read());
        Posix.close(async.write());
    }

    /** A queue pair, of which all that matters is whose it is. */
    IbvQp queuePair(IbvContext of) {
        return queuePair(of, Ibv.QPS_RTS);
    }

    /** A queue pair that libibverbs takes to be in a state. */
    IbvQp queuePair(IbvContext of, int state) {
        return queuePair(of, Ibv.QPT_RC, state);
    }

    private IbvQp queuePair(IbvContext of, int type, int state) {
        QpInit init = new QpInit(type, new QpCap(1, 1, 1, 1, 0), false);
        return IbvQp.create(
                of,
                init,
                event -> {},
                id -> {
                    MemorySegment qp = arena.allocate(QP_BYTES, 8);
                    qp.set(JAVA_LONG, 0, memory.address() + CONTEXT);
                    qp.set(JAVA_INT, QP_STATE, state);
                    return qp.address();
                });
    }

    /** One of the type UD. */
    IbvQp datagramQueuePair(IbvContext of) {
        return queuePair(of, Ibv.QPT_UD, Ibv.QPS_RTS);
    }

    /** An address handle, the same. */
    IbvAh addressHandle(IbvContext of) {
        MemorySegment ah = arena.allocate(AH_BYTES, 8);
        ah.set(JAVA_LONG, 0, memory.address() + CONTEXT);
        return new IbvAh(of, ah.address());
    }

    /** A memory region, the same. */
    IbvMr memoryRegion(IbvContext of, long bytes) {
        MemorySegment mr = arena.allocate(MR_BYTES, 8);
        mr.set(JAVA_LONG, 0, memory.address() + CONTEXT);
        return IbvMr.create(of, arena.allocate(bytes), mr::address, "made by hand");
    }

    @Override
    public String name() {
        return "hand-made";
    }

    @Override
    public long guid() {
        return 1;
    }

    @Override
    public ContextOps open(PortListener events) {
        context =
                new IbvContext(
                        "hand-made", memory.address() + CONTEXT, events, pollerOfNextContext());
        return new Ops();
    }

    /** As {@link IbvContext}, but for what it takes a driver to create. */
    private final class Ops implements ContextOps {
        private @Nullable MadeChannel direct;

        @Override
        public DeviceAttr queryDevice() {
            return ATTRIBUTES;
        }

        @Override
        public PortAttr queryPort(int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] queryGid(int port, int index) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelOps createCompChannel() {
            Posix.Ends ends = nextEnds == null ? Posix.pipe() : nextEnds;
            nextEnds = null;
            return channel(ends);
        }

        @Override
        public synchronized ChannelOps directChannel() {
            if (direct == null) {
                direct = channel(Posix.pipe());
            }
            return direct;
        }

        @Override
        public EventFeed asyncFeed() {
            return context.asyncFeed();
        }

        @Override
        public CqOps createCq(
                int cqe, @Nullable ChannelOps channel, int compVector, CqListener events) {
            MadeChannel of = (MadeChannel) channel;
            Made[] created = new Made[1];
            CqListener observed =
                    new CqListener() {
                        @Override
                        public void completionEvent() {
                            throwOnce();
                            created[0].ackedWhenRaised = created[0].acked();
                            events.completionEvent();
                        }

                        @Override
                        public void asyncEvent(int type) {
                            throwOnce();
                            events.asyncEvent(type);
                        }
                    };
            lastCq =
                    IbvCq.create(
                            context,
                            observed,
                            id -> {
                                MemorySegment cq = arena.allocate(CQ_BYTES, 8);
                                cq.set(JAVA_LONG, 0, memory.address() + CONTEXT);
                                cq.set(JAVA_LONG, 16, id);
                                cq.set(JAVA_INT, 28, cqe);
                                if (of != null) {
                                    cq.set(JAVA_LONG, 8, of.memory.address());
                                    synchronized (made) {
                                        of.memory.set(
                                                JAVA_INT,
                                                CHANNEL_REFCNT,
                                                of.memory.get(JAVA_INT, CHANNEL_REFCNT) + 1);
                                    }
                                }
                                Made one = new Made(cq, of);
                                created[0] = one;
                                synchronized (made) {
                                    made.add(one);
                                }
                                return cq.address();
                            },
                            "by hand");
            return lastCq;
        }

        @Override
        public void close() {
            MadeChannel channel = direct;
            if (channel != null) {
                if (channel.destroy() != 0) {
                    throw new AssertionError("the context's channel was not destroyed");
                }
                Posix.close(channel.ends.write());
                direct = null;
            }
            context.close(() -> -refusesClose);
            closePipe();
        }
    }
}
