package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceAttrEx;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps.PortListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.ffi.DriverFunctions;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.IbvLayouts.IbvDeviceAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvDeviceAttrEx;
import io.loomverbs.internal.ffi.IbvLayouts.IbvValuesEx;
import io.loomverbs.internal.ffi.IbvLayouts.VerbsContext;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Pin;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** An open device of libibverbs. */
final class IbvContext implements ContextOps {
    static {
        LoadedClasses.besides(IbvContext.class, Libibverbs.class);
        DriverFunctions.link();
    }

    /** Space for fields that later versions append to {@code ibv_port_attr}. */
    private static final int PORT_ATTR_BYTES = 128;

    private static final int GID_BYTES = 16;
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    /**
     * All existing objects of the context, since the device may use them whether or not the program
     * can reach them. CQs and queue pairs are found by the numbers that libibverbs returns.
     */
    final NativeIds<Object> objects = new NativeIds<>();

    /** Receives the events of the device and its ports. */
    final PortListener events;

    // The addresses of the driver's functions, which the driver sets once, when it opens the
    // device.
    final long pollCq;
    final long reqNotifyCq;
    final long postSend;
    final long postRecv;
    final long postSrqRecv;

    // 0 if the driver has no memory windows.
    final long allocMw;
    final long bindMw;
    final long deallocMw;

    /** Whether a queue pair's state changes without {@code ibv_modify_qp}, as iWARP's does. */
    final boolean stateIsHidden;

    /** Of soft-RoCE, as the kernel has it. */
    private static final int SOFT_ROCE = 0xffffff;

    /**
     * Whether the kernel writes completions itself, with its own numbers of flags. Written as the
     * device is queried, which the API does before anything else.
     */
    volatile boolean kernelFlags;

    private final @Nullable MemorySegment queryPort;
    private final @Nullable MemorySegment queryDeviceEx;

    /** Null if libibverbs has none. */
    final @Nullable MemorySegment modifyCq;

    /** The same. */
    final @Nullable MemorySegment adviseMr;

    /** The same. */
    final @Nullable MemorySegment createCqEx;

    private final @Nullable MemorySegment queryRtValues;

    private final String name;
    private final long address;
    private final int cmdFd;
    private final int numCompVectors;

    private final Poller poller;
    private final IbvAsyncEvents asyncEvents;
    private final ReentrantLock lock = new ReentrantLock();

    /** Guards calls on the context itself, while no object of it keeps it open. */
    private final CallGate guard = new CallGate();

    /** Keeps the context reachable while it is open. */
    private volatile @Nullable Pin pin;

    /** For CQs with direct delivery that were given no channel; made for the first of them. */
    @GuardedBy("lock")
    private @Nullable IbvChannel directChannel;

    IbvContext(String name, long address, PortListener events, Poller poller) {
        this.name = name;
        this.address = address;
        this.events = events;
        Struct context = Struct.at(address, IbvLayouts.IbvContext.BYTES);
        this.pollCq = context.i64(IbvLayouts.IbvContext.OPS__POLL_CQ);
        this.reqNotifyCq = context.i64(IbvLayouts.IbvContext.OPS__REQ_NOTIFY_CQ);
        this.postSend = context.i64(IbvLayouts.IbvContext.OPS__POST_SEND);
        this.postRecv = context.i64(IbvLayouts.IbvContext.OPS__POST_RECV);
        this.postSrqRecv = context.i64(IbvLayouts.IbvContext.OPS__POST_SRQ_RECV);
        this.allocMw = context.i64(IbvLayouts.IbvContext.OPS__ALLOC_MW);
        this.bindMw = context.i64(IbvLayouts.IbvContext.OPS__BIND_MW);
        this.deallocMw = context.i64(IbvLayouts.IbvContext.OPS__DEALLOC_MW);
        this.stateIsHidden = isIwarp(context.i64(IbvLayouts.IbvContext.DEVICE));
        this.cmdFd = context.i32(IbvLayouts.IbvContext.CMD_FD);
        this.numCompVectors = context.i32(IbvLayouts.IbvContext.NUM_COMP_VECTORS);
        this.queryPort = extended(address, VerbsContext.QUERY_PORT);
        this.queryDeviceEx = extended(address, VerbsContext.QUERY_DEVICE_EX);
        this.modifyCq = extended(address, VerbsContext.MODIFY_CQ);
        this.adviseMr = extended(address, VerbsContext.ADVISE_MR);
        this.createCqEx = extended(address, VerbsContext.CREATE_CQ_EX);
        this.queryRtValues = extended(address, VerbsContext.QUERY_RT_VALUES);
        this.poller = poller;
        this.asyncEvents =
                new IbvAsyncEvents(this, poller, context.i32(IbvLayouts.IbvContext.ASYNC_FD));
    }

    /** {@code ibv_open_device} of an {@code ibv_device}. */
    static IbvContext open(String name, long device, PortListener events) {
        Poller poller = Pollers.ofNextContext(); // first: it may be refused
        boolean opened = false;
        try {
            IbvContext context = open(name, device, events, poller);
            opened = true;
            return context;
        } finally {
            if (!opened) {
                poller.release();
            }
        }
    }

    private static IbvContext open(String name, long device, PortListener events, Poller poller) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            long address = Libibverbs.openDevice(call, device);
            if (address < 0) {
                throw Refusals.of("ibv_open_device", address, name);
            }
            boolean made = false;
            try {
                IbvContext context = new IbvContext(name, address, events, poller);
                context.pin = Pin.of(context);
                made = true;
                return context;
            } finally {
                if (!made) {
                    Libibverbs.closeDevice(call, address);
                }
            }
        }
    }

    private static boolean isIwarp(long device) {
        int type = IbvLayouts.IbvDevice.TRANSPORT_TYPE;
        return device != 0 && Struct.i32At(device + type) == Ibv.TRANSPORT_IWARP;
    }

    /** A function of the {@code verbs_context}, if the context is extended and has it. */
    private static @Nullable MemorySegment extended(long context, int offset) {
        int distance = VerbsContext.CONTEXT - offset;
        int excess = IbvLayouts.mutexExcess(context);
        if (excess < 0) {
            return null;
        }
        long before = context - VerbsContext.CONTEXT;
        long size = Struct.at(before + VerbsContext.SZ, Long.BYTES).i64(0);
        if (size < distance + IbvLayouts.IbvContext.BYTES + excess) {
            return null;
        }
        long function = Struct.at(before + offset, Long.BYTES).i64(0);
        return function == 0 ? null : MemorySegment.ofAddress(function);
    }

    /** The {@code ibv_context}. */
    long address() {
        return address;
    }

    /** The open {@code /dev/infiniband/uverbs} device. */
    int cmdFd() {
        return cmdFd;
    }

    @Override
    public DeviceAttr queryDevice() {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct attr = Struct.allocate(arena, IbvDeviceAttr.BYTES);
            int rc = Libibverbs.queryDevice(Libibverbs.callState(arena), address, attr.address());
            if (rc != 0) {
                throw Refusals.of("ibv_query_device", rc, name);
            }
            DeviceAttr attributes = Attributes.device(attr, numCompVectors);
            kernelFlags = attributes.vendorId() == SOFT_ROCE;
            return attributes;
        } finally {
            guard.leave();
        }
    }

    /** As in {@code verbs.h}, a libibverbs or a driver without the function reports nothing. */
    @Override
    public DeviceAttrEx queryDeviceEx() {
        MemorySegment function = queryDeviceEx;
        if (function == null) {
            return DeviceAttrEx.NONE;
        }
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct attr = Struct.allocate(arena, IbvDeviceAttrEx.BYTES);
            int rc =
                    DriverFunctions.queryDeviceEx(
                            Libibverbs.callState(arena),
                            function,
                            address,
                            attr.address(),
                            IbvDeviceAttrEx.BYTES);
            if (rc == -Errno.EOPNOTSUPP || rc == -Errno.ENOSYS) {
                return DeviceAttrEx.NONE;
            }
            if (rc != 0) {
                throw Refusals.of("ibv_query_device_ex", rc, name);
            }
            return Attributes.deviceEx(attr);
        } finally {
            guard.leave();
        }
    }

    @Override
    public PortAttr queryPort(int port) {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct attr = Struct.allocate(arena, PORT_ATTR_BYTES);
            MemorySegment call = Libibverbs.callState(arena);
            int rc =
                    queryPort == null
                            ? Libibverbs.queryPortCompat(call, address, port, attr.address())
                            : DriverFunctions.queryPort(
                                    call,
                                    queryPort,
                                    address,
                                    port,
                                    attr.address(),
                                    PORT_ATTR_BYTES);
            if (rc != 0) {
                throw Refusals.of("ibv_query_port", rc, "port " + port);
            }
            return Attributes.port(attr);
        } finally {
            guard.leave();
        }
    }

    /**
     * What a verb that destroys an object has returned; but 0 if the device is gone. The kernel has
     * destroyed all its objects then, and answers every call with {@code EIO}.
     */
    int outcome(int rc) {
        return rc == -Errno.EIO && isGone() ? 0 : rc;
    }

    private boolean isGone() {
        try {
            queryPort(1);
            return false;
        } catch (DeviceException e) {
            return e.errno() == Errno.EIO;
        }
    }

    /** A CQ that libibverbs keeps does not use its {@code ibv_comp_channel} any more. */
    void leave(long channel) {
        lock.lock();
        try {
            Struct struct = Struct.at(channel, IbvLayouts.IbvCompChannel.REFCNT + Integer.BYTES);
            int users = struct.i32(IbvLayouts.IbvCompChannel.REFCNT);
            struct.i32(IbvLayouts.IbvCompChannel.REFCNT, users - 1);
        } finally {
            lock.unlock();
        }
    }

    private void enter() {
        if (!guard.enter()) {
            throw new DeviceException(Errno.ENODEV, name + " was closed");
        }
    }

    @Override
    public byte[] queryGid(int port, int index) {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct gid = Struct.allocate(arena, GID_BYTES);
            int rc =
                    Libibverbs.queryGid(
                            Libibverbs.callState(arena), address, port, index, gid.address());
            if (rc != 0) {
                throw Refusals.of("ibv_query_gid", rc, "port " + port + ", index " + index);
            }
            return gid.bytes(0, GID_BYTES);
        } finally {
            guard.leave();
        }
    }

    @Override
    public @Nullable GidAttr queryGidEx(int port, int index) {
        if (!Libibverbs.hasQueryGidEx()) {
            GidAttr gid = ContextOps.super.queryGidEx(port, index);
            boolean ethernet = queryPort(port).linkLayer() == Ibv.LINK_LAYER_ETHERNET;
            return gid == null ? null : SysfsGids.complete(gid, name, port, ethernet);
        }
        enter();
        try {
            return Gids.query(address, port, index);
        } finally {
            guard.leave();
        }
    }

    @Override
    public List<GidAttr> queryGidTable(int port) {
        if (!Libibverbs.hasQueryGidEx()) {
            return ContextOps.super.queryGidTable(port);
        }
        int room = 0;
        int ports = queryDevice().physPortCnt();
        for (int p = 1; p <= ports; p++) {
            room += queryPort(p).gidTblLen();
        }
        enter();
        try {
            return Gids.table(address, port, room);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int queryPkey(int port, int index) {
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct pkey = Struct.allocate(arena, Short.BYTES);
            int rc =
                    Libibverbs.queryPkey(
                            Libibverbs.callState(arena), address, port, index, pkey.address());
            if (rc != 0) {
                throw Refusals.of("ibv_query_pkey", rc, "port " + port + ", index " + index);
            }
            return pkey.u8(0) << Byte.SIZE | pkey.u8(1);
        } finally {
            guard.leave();
        }
    }

    @Override
    public BitSet compVectorCpus(int vector) {
        return OffCarrierCalls.run("/proc/interrupts", () -> VectorIrqs.cpus(name, vector));
    }

    @Override
    public ChannelOps createCompChannel() {
        return IbvChannel.create(this);
    }

    @Override
    public ChannelOps directChannel() {
        lock.lock();
        try {
            IbvChannel channel = directChannel;
            if (channel == null) {
                channel = IbvChannel.create(this);
                directChannel = channel;
            }
            return channel;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public EventFeed asyncFeed() {
        return asyncEvents;
    }

    IbvAsyncEvents asyncEvents() {
        return asyncEvents;
    }

    Poller poller() {
        return poller;
    }

    @Override
    public CqOps createCq(
            int cqe, @Nullable ChannelOps channel, int compVector, CqListener events) {
        return IbvCq.create(this, cqe, addressOf(channel), compVector, events);
    }

    @Override
    public CqOps createCqEx(
            int cqe, @Nullable ChannelOps channel, int compVector, int wcFlags, CqListener events) {
        return IbvCqEx.create(this, cqe, addressOf(channel), compVector, wcFlags, events);
    }

    private long addressOf(@Nullable ChannelOps channel) {
        if (channel == null) {
            return 0;
        }
        if (channel instanceof IbvChannel known && known.context() == this) {
            return known.address();
        }
        throw new DeviceException(Errno.EINVAL, "the channel is of another device");
    }

    /** Drivers put the clock into the nanoseconds, in its own unit. */
    @Override
    public long queryRawClock() {
        MemorySegment function = queryRtValues;
        if (function == null) {
            throw DeviceException.unsupported("ibv_query_rt_values_ex");
        }
        enter();
        try (Arena arena = Arena.ofConfined()) {
            Struct values = Struct.allocate(arena, IbvValuesEx.BYTES);
            values.i32(IbvValuesEx.COMP_MASK, Ibv.VALUES_MASK_RAW_CLOCK);
            int rc =
                    DriverFunctions.queryRtValues(
                            Libibverbs.callState(arena), function, address, values.address());
            if (rc == 0 && (values.i32(IbvValuesEx.COMP_MASK) & Ibv.VALUES_MASK_RAW_CLOCK) == 0) {
                rc = -Errno.EOPNOTSUPP;
            }
            if (rc != 0) {
                throw Refusals.of("ibv_query_rt_values_ex", rc, name);
            }
            return values.i64(IbvValuesEx.RAW_CLOCK__TV_SEC) * NANOS_PER_SECOND
                    + values.i64(IbvValuesEx.RAW_CLOCK__TV_NSEC);
        } finally {
            guard.leave();
        }
    }

    @Override
    public PdOps allocPd() {
        return IbvPd.alloc(this);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (directChannel != null) {
                int rc = directChannel.destroy();
                if (rc != 0) {
                    throw Refusals.of("ibv_destroy_comp_channel", rc, name);
                }
                directChannel = null;
            }
        } finally {
            lock.unlock();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            close(() -> Libibverbs.closeDevice(call, address));
        }
    }

    /**
     * @param closing closes the {@code ibv_context}. Whether it refuses or throws, asynchronous
     *     events are read then as before
     */
    void close(FdEventFeed.Destruction closing) {
        int rc = guard.destroy(() -> asyncEvents.close(closing), -Errno.ENODEV);
        if (rc != 0) {
            throw Refusals.of("ibv_close_device", rc, name);
        }
        try {
            asyncEvents.endQueues(); // first: no thread may wait in a closed poller
        } finally {
            try {
                poller.release();
            } finally {
                Pin pinned = pin;
                if (pinned != null) {
                    pinned.release();
                }
            }
        }
    }

    @Override
    public boolean isClosed() {
        return guard.isDestroyed();
    }

    /** The device's name. */
    @Override
    public String toString() {
        return name;
    }
}
