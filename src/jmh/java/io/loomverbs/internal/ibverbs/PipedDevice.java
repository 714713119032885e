package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.StubContext;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.soft.SoftDeviceProvider;
import io.loomverbs.peers.NativePeers;
import io.loomverbs.peers.NativePeers.Pipe;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The real libibverbs without a device: channels are pipes into which the benchmark writes what the
 * kernel would. Poller, channel, CQ and {@code ibv_get_cq_event} are those that ship; the driver's
 * part is one function in C that does nothing. See {@link HandMadeMemory}.
 */
@SuppressWarnings("restricted")
public final class PipedDevice implements DeviceOps {
    /** There is no device to be asked: those of soft0. */
    private static final DeviceAttr ATTRIBUTES = softAttributes();

    private final Arena arena = Arena.ofShared();
    private final Pipe async = new Pipe();
    private final HandMadeMemory memory;
    private final Poller poller;
    private IbvContext context;
    private volatile Made last;

    /** A CQ as libibverbs sees it. */
    public static final class Made {
        private final MemorySegment cq;
        private final MadeChannel channel;

        private Made(MemorySegment cq, MadeChannel channel) {
            this.cq = cq;
            this.channel = channel;
        }

        /** An event of this CQ comes up. By one thread at a time. */
        public void raise() {
            channel.pipe.write(cq.address());
        }
    }

    /** A channel as the kernel sees it. */
    private record MadeChannel(IbvChannel ops, Pipe pipe, MemorySegment memory)
            implements ChannelOps {
        @Override
        public int destroy() {
            int rc = ops.destroy();
            pipe.closeWriter();
            return rc;
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

    /**
     * @param threadLeads whether a platform thread is to wait in the kernel for all, and no virtual
     *     thread
     */
    public PipedDevice(boolean threadLeads) {
        check();
        poller =
                new Poller(
                        threadLeads ? new Pollers.NoCarriers() : new SchedulerCarriers(),
                        "piped-poller");
        memory = new HandMadeMemory(arena, async.readFd(), new NativePeers().nothing());
    }

    private static DeviceAttr softAttributes() {
        return new SoftDeviceProvider().devices().getFirst().open((type, port) -> {}).queryDevice();
    }

    /** Where it cannot be had, the benchmark is missing in the report, which says why. */
    private static void check() {
        try {
            String problem = HandMadeMemory.problem();
            if (problem != null) {
                throw new IllegalStateException("no figures of libibverbs: " + problem);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The CQ that was created last. */
    public Made last() {
        return last;
    }

    @Override
    public String name() {
        return "piped";
    }

    @Override
    public long guid() {
        return 1;
    }

    @Override
    public ContextOps open(PortListener events) {
        context = new IbvContext("piped", memory.context(), events, poller);
        return new Ops();
    }

    private MadeChannel channel() {
        Pipe pipe = new Pipe();
        MemorySegment channel = memory.channel(pipe.readFd());
        return new MadeChannel(IbvChannel.of(context, channel.address()), pipe, channel);
    }

    private MemorySegment cq(long id, int cqe, MadeChannel channel) {
        MemorySegment cq = memory.cq(id, cqe, channel.memory);
        last = new Made(cq, channel);
        return cq;
    }

    /** As {@link IbvContext}, but for what it takes a driver to create. By one thread. */
    private final class Ops extends StubContext {
        private @Nullable MadeChannel direct;

        Ops() {
            super(ATTRIBUTES);
        }

        @Override
        public ChannelOps createCompChannel() {
            return channel();
        }

        @Override
        public ChannelOps directChannel() {
            if (direct == null) {
                direct = channel();
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
            return IbvCq.create(
                    context,
                    events,
                    Libibverbs.callState(arena),
                    id -> cq(id, cqe, (MadeChannel) channel).address(),
                    "by hand");
        }

        @Override
        public void close() {
            if (direct != null && direct.destroy() != 0) {
                throw new AssertionError("the context's channel was not destroyed");
            }
            context.asyncEvents().close(() -> 0);
            async.close();
            async.closeWriter();
        }
    }
}
