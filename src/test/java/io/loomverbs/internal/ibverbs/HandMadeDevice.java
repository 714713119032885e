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
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.StubContext;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Libibverbs;
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
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/**
 * A context, channels and CQs of libibverbs made by hand, without a device: channels are pipes into
 * which a test writes what the kernel would ({@link HandMadeMemory}). What reads, acknowledges and
 * destroys them is the real libibverbs, under the real channel, poller and CQ of loomverbs. The
 * driver does nothing, and returns 0 unless a test says otherwise.
 */
@SuppressWarnings("restricted")
final class HandMadeDevice implements DeviceOps {
    private static final int QP_BYTES = 160;
    private static final int QP_STATE = 56;
    private static final int MR_BYTES = 128;
    private static final int AH_BYTES = 64;
    private static final String FFI = Libibverbs.class.getPackageName() + ".";
    private static final int CQ_CONTEXT = 16;
    private static final int COMP_EVENTS_COMPLETED = 120;
    private static final int ASYNC_EVENTS_COMPLETED = 124;

    private static final DeviceAttr ATTRIBUTES =
            FreshDevice.create().open((type, port) -> {}).queryDevice();

    private final Arena arena = Arena.ofShared();

    /** For the calls that create objects, which allocate it otherwise. */
    private final MemorySegment call = Libibverbs.callState(arena);

    private final HandMadeMemory memory;
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

    /** What they answer instead, by the name of the method that calls, as in {@link Libibverbs}. */
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

        /** What libibverbs says from now on whose it is. */
        void isOf(long id) {
            cq.set(JAVA_LONG, CQ_CONTEXT, id);
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
        memory = new HandMadeMemory(arena, async.read(), nothing());
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
        String problem = HandMadeMemory.problem();
        if (problem != null) {
            throw SkippedTests.withoutLibibverbs(problem);
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
                                frames.filter(f -> f.getClassName().startsWith(FFI))
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
        MemorySegment channel = memory.channel(ends.read());
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

    /** The same, of a driver that is asked for extended attributes. */
    IbvContext extendedContext() {
        memory.extend(nothing());
        return bareContext();
    }

    /** The context alone; its user calls {@link #closePipe}. */
    IbvContext bareContext() {
        return new IbvContext(
                "hand-made", memory.context(), (type, port) -> {}, pollerOfNextContext());
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
                call,
                id -> {
                    MemorySegment qp = memory.object(QP_BYTES);
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
        return IbvAh.create(of, call, memory.object(AH_BYTES)::address, "made by hand");
    }

    /** A memory region, the same. */
    IbvMr memoryRegion(IbvContext of, long bytes) {
        MemorySegment mr = memory.object(MR_BYTES);
        return IbvMr.create(of, arena.allocate(bytes), call, mr::address, "made by hand");
    }

    /** A memory window, the same. */
    IbvMw memoryWindow(IbvContext of) {
        return IbvMw.create(of, call, memory.object(MR_BYTES)::address, "made by hand");
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
        context = new IbvContext("hand-made", memory.context(), events, pollerOfNextContext());
        return new Ops();
    }

    /** As {@link IbvContext}, but for what it takes a driver to create. */
    private final class Ops extends StubContext {
        private @Nullable MadeChannel direct;

        Ops() {
            super(ATTRIBUTES);
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
                            call,
                            id -> {
                                MemorySegment cq =
                                        memory.cq(id, cqe, of == null ? null : of.memory);
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
