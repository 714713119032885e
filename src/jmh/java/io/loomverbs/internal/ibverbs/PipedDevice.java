package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.LibibverbsLibrary;
import io.loomverbs.internal.soft.SoftDeviceProvider;
import io.loomverbs.peers.NativePeers;
import io.loomverbs.peers.NativePeers.Pipe;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The real libibverbs without a device: channels are pipes into which the benchmark writes what the
 * kernel would. Poller, channel, CQ and {@code ibv_get_cq_event} are those that ship; the driver's
 * part is one function in C that does nothing.
 *
 * <p>As the tests make it by hand, and like them it relies on what is private in libibverbs, where
 * it was looked up.
 */
@SuppressWarnings("restricted")
public final class PipedDevice implements DeviceOps {
    // Versions of rdma-core in which that is as it is here.
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
    private static final int CONTEXT_BYTES = 2048;
    private static final int CQ_BYTES = 128;
    private static final int ALIGNMENT = 64;

    /** There is no device to be asked: those of soft0. */
    private static final DeviceAttr ATTRIBUTES = softAttributes();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(CONTEXT_BYTES, ALIGNMENT);
    private final Pipe async = new Pipe();
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
        MemorySegment nothing = new NativePeers().nothing();
        MemorySegment ownPart = arena.allocate(PRIVATE_BYTES, ALIGNMENT);
        fill(ownPart, 0, PRIVATE_BYTES, nothing);
        fill(memory, OPS, OPS_BYTES, nothing);
        memory.set(JAVA_LONG, PRIV, ownPart.address());
        memory.set(JAVA_INT, ASYNC_FD, async.readFd());
        memory.set(JAVA_INT, NUM_COMP_VECTORS, 1);
    }

    private static void fill(MemorySegment with, long from, long bytes, MemorySegment function) {
        for (long at = from; at < from + bytes; at += Long.BYTES) {
            with.set(JAVA_LONG, at, function.address());
        }
    }

    private static DeviceAttr softAttributes() {
        return new SoftDeviceProvider().devices().getFirst().open((type, port) -> {}).queryDevice();
    }

    /** Where it cannot be had, the benchmark is missing in the report, which says why. */
    private static void check() {
        Throwable cause = LibibverbsLibrary.unavailabilityCause();
        if (cause != null) {
            throw new IllegalStateException("no figures of libibverbs: " + cause.getMessage());
        }
        Pattern library = Pattern.compile("libibverbs\\.so\\.1\\.\\d+\\.(\\d+)\\.");
        try {
            Matcher matcher = library.matcher(Files.readString(Path.of("/proc/self/maps")));
            int version = matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
            if (version < FIRST_VERSION || version > LAST_VERSION) {
                throw new IllegalStateException(
                        String.format(
                                        Locale.ROOT,
                                        "no figures of libibverbs: it is of version %d, and only %d"
                                                + " to %d were",
                                        version,
                                        FIRST_VERSION,
                                        LAST_VERSION)
                                + " looked into");
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
        context = new IbvContext("piped", memory.address() + CONTEXT, events, poller);
        return new Ops();
    }

    private MadeChannel channel() {
        Pipe pipe = new Pipe();
        MemorySegment channel = NativePeers.calloc(16); // freed by ibv_destroy_comp_channel
        channel.set(JAVA_LONG, 0, memory.address() + CONTEXT);
        channel.set(JAVA_INT, 8, pipe.readFd());
        return new MadeChannel(IbvChannel.of(context, channel.address()), pipe, channel);
    }

    private MemorySegment cq(long id, int cqe, MadeChannel channel) {
        MemorySegment cq = arena.allocate(CQ_BYTES, ALIGNMENT);
        cq.set(JAVA_LONG, 0, memory.address() + CONTEXT);
        cq.set(JAVA_LONG, 8, channel.memory.address());
        cq.set(JAVA_LONG, 16, id);
        cq.set(JAVA_INT, 28, cqe);
        channel.memory.set(JAVA_INT, 12, channel.memory.get(JAVA_INT, 12) + 1);
        last = new Made(cq, channel);
        return cq;
    }

    /** As {@link IbvContext}, but for what it takes a driver to create. By one thread. */
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
                    context, events, id -> cq(id, cqe, (MadeChannel) channel).address(), "by hand");
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
