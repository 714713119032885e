package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Librdmacm;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmId;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaConnParam;
import io.loomverbs.internal.ffi.RdmacmLayouts.SockaddrIn6;
import io.loomverbs.internal.ffi.Struct;
import io.loomverbs.internal.ibverbs.OffCarrierCalls;
import io.loomverbs.internal.ibverbs.QpAttrs;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * An id of librdmacm. It never has a queue pair there: those of the program are of other contexts.
 * Its gate keeps it from being destroyed while calls use it.
 */
final class RdmacmId implements CmIdOps {
    private static final int OPTION_ID = 0;
    private static final int OPTION_ID_ACK_TIMEOUT = 3;

    private final RdmacmChannel channel;
    private final CallGate guard = new CallGate();

    /** Its key in the channel, which keeps it alive; written once, before it is published. */
    private long number;

    /** The {@code rdma_cm_id}; written once, before it is published. */
    private long address;

    /** Null for a new request, until the listener's event names it. */
    private volatile @Nullable CmListener events;

    private RdmacmId(RdmacmChannel channel, @Nullable CmListener events) {
        this.channel = channel;
        this.events = events;
    }

    /** {@code rdma_create_id}. The caller has retained the channel for it. */
    static RdmacmId create(RdmacmChannel channel, CmListener events, int ps) {
        RdmacmId id = new RdmacmId(channel, events);
        id.number = channel.add(id);
        boolean created = false;
        try (Arena arena = Arena.ofConfined()) {
            Struct slot = Struct.allocate(arena, Long.BYTES);
            int rc =
                    Librdmacm.createId(
                            Libibverbs.callState(arena),
                            channel.address(),
                            slot.address(),
                            id.number,
                            ps);
            if (rc != 0) {
                throw new DeviceException(-rc, "no id");
            }
            id.address = slot.i64(0);
            created = true;
            return id;
        } finally {
            if (!created) {
                channel.remove(id.number);
            }
        }
    }

    /** The id of a new request, on the reader, before its event is acknowledged. */
    static RdmacmId incoming(RdmacmChannel channel, long address) {
        RdmacmId id = new RdmacmId(channel, null);
        id.address = address;
        id.number = channel.retainFor(id);
        // It has that of the listener.
        Struct.at(address, RdmaCmId.BYTES).i64(RdmaCmId.CONTEXT, id.number);
        return id;
    }

    void raise(CmEvent event) {
        CmListener to = events;
        if (to != null) {
            to.event(event);
        }
    }

    @Override
    public void listener(CmListener to) {
        events = to;
    }

    private interface Call {
        int on(MemorySegment call, Arena arena);
    }

    private int call(Call body) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            return body.on(Libibverbs.callState(arena), arena);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int bindAddr(InetSocketAddress local) {
        return call(
                (call, arena) ->
                        Librdmacm.bindAddr(call, address, SockAddr.of(local, arena).address()));
    }

    @Override
    public int listen(int backlog) {
        return call((call, arena) -> Librdmacm.listen(call, address, backlog));
    }

    @Override
    public int resolveAddr(
            @Nullable InetSocketAddress local, InetSocketAddress remote, int timeoutMs) {
        return call(
                (call, arena) ->
                        Librdmacm.resolveAddr(
                                call,
                                address,
                                local == null ? 0 : SockAddr.of(local, arena).address(),
                                SockAddr.of(remote, arena).address(),
                                timeoutMs));
    }

    @Override
    public int resolveRoute(int timeoutMs) {
        return call((call, arena) -> Librdmacm.resolveRoute(call, address, timeoutMs));
    }

    @Override
    public int connect(CmConnParam param) {
        return call(
                (call, arena) -> Librdmacm.connect(call, address, copy(param, arena).address()));
    }

    @Override
    public int accept(CmConnParam param) {
        return call((call, arena) -> Librdmacm.accept(call, address, copy(param, arena).address()));
    }

    /** Before connect and accept, since the queue pair's attributes follow from it. */
    @Override
    public int setAckTimeout(int exponent) {
        return call(
                (call, arena) -> {
                    Struct value = Struct.allocate(arena, 1);
                    value.u8(0, exponent);
                    return Librdmacm.setOption(
                            call, address, OPTION_ID, OPTION_ID_ACK_TIMEOUT, value.address(), 1);
                });
    }

    private static Struct copy(CmConnParam from, Arena arena) {
        Struct to = Struct.allocate(arena, RdmaConnParam.BYTES);
        byte[] data = from.privateData();
        if (data.length > 0) {
            to.i64(RdmaConnParam.PRIVATE_DATA, copy(data, arena).address());
            to.u8(RdmaConnParam.PRIVATE_DATA_LEN, data.length);
        }
        to.u8(RdmaConnParam.RESPONDER_RESOURCES, from.responderResources());
        to.u8(RdmaConnParam.INITIATOR_DEPTH, from.initiatorDepth());
        to.u8(RdmaConnParam.RETRY_COUNT, from.retryCount());
        to.u8(RdmaConnParam.RNR_RETRY_COUNT, from.rnrRetryCount());
        to.u8(RdmaConnParam.SRQ, from.srq() ? 1 : 0);
        to.i32(RdmaConnParam.QP_NUM, from.qpNum());
        return to;
    }

    private static Struct copy(byte[] from, Arena arena) {
        Struct to = Struct.allocate(arena, from.length);
        for (int i = 0; i < from.length; i++) {
            to.u8(i, from[i]);
        }
        return to;
    }

    @Override
    public int establish() {
        return call((call, arena) -> Librdmacm.establish(call, address));
    }

    @Override
    public int reject(byte[] privateData) {
        return call(
                (call, arena) ->
                        Librdmacm.reject(
                                call,
                                address,
                                privateData.length == 0 ? 0 : copy(privateData, arena).address(),
                                privateData.length));
    }

    @Override
    public int disconnect() {
        return call((call, arena) -> Librdmacm.disconnect(call, address));
    }

    @Override
    public int joinMulticast(InetSocketAddress group) {
        return call(
                (call, arena) ->
                        Librdmacm.joinMulticast(
                                call, address, SockAddr.of(group, arena).address()));
    }

    @Override
    public int leaveMulticast(InetSocketAddress group) {
        return OffCarrierCalls.run(
                "rdma_leave_multicast",
                () ->
                        call(
                                (call, arena) ->
                                        Librdmacm.leaveMulticast(
                                                call,
                                                address,
                                                SockAddr.of(group, arena).address())));
    }

    @Override
    public int notifyEstablished() {
        return call((call, arena) -> Librdmacm.notify(call, address, Ibv.EVENT_COMM_EST));
    }

    @Override
    public int initQpAttr(QpAttr attr) {
        return call(
                (call, arena) -> {
                    Struct struct = Struct.allocate(arena, IbvLayouts.IbvQpAttr.BYTES);
                    Struct mask = Struct.allocate(arena, Integer.BYTES);
                    struct.i32(IbvLayouts.IbvQpAttr.QP_STATE, attr.qpState);
                    int rc = Librdmacm.initQpAttr(call, address, struct.address(), mask.address());
                    if (rc != 0) {
                        return rc;
                    }
                    QpAttrs.read(struct, attr);
                    return mask.i32(0);
                });
    }

    @Override
    public @Nullable InetSocketAddress localAddress() {
        return address(RdmaCmId.ROUTE__ADDR__SRC_ADDR);
    }

    @Override
    public @Nullable InetSocketAddress peerAddress() {
        return address(RdmaCmId.ROUTE__ADDR__DST_ADDR);
    }

    private @Nullable InetSocketAddress address(int offset) {
        if (!guard.enter()) {
            return null;
        }
        try {
            return SockAddr.read(Struct.at(address + offset, SockaddrIn6.BYTES));
        } finally {
            guard.leave();
        }
    }

    @Override
    public @Nullable String deviceName() {
        if (!guard.enter()) {
            return null;
        }
        try {
            long device = device();
            return device == 0
                    ? null
                    : Struct.at(device, IbvLayouts.IbvDevice.DEV_NAME)
                            .string(IbvLayouts.IbvDevice.NAME, IbvLayouts.IbvDevice.NAME_BYTES);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int transportType() {
        if (!guard.enter()) {
            return 0;
        }
        try {
            long device = device();
            return device == 0 ? 0 : Struct.i32At(device + IbvLayouts.IbvDevice.TRANSPORT_TYPE);
        } finally {
            guard.leave();
        }
    }

    /** The {@code ibv_device}; 0 while it is not known. To be called within the gate. */
    private long device() {
        long verbs = Struct.at(address, RdmaCmId.BYTES).i64(RdmaCmId.VERBS);
        return verbs == 0 ? 0 : Struct.at(verbs, Long.BYTES).i64(IbvLayouts.IbvContext.DEVICE);
    }

    @Override
    public int portNum() {
        if (!guard.enter()) {
            return 0;
        }
        try {
            return Struct.at(address, RdmaCmId.BYTES).u8(RdmaCmId.PORT_NUM);
        } finally {
            guard.leave();
        }
    }

    @Override
    public void destroy() {
        int ignored = guard.destroy(() -> OffCarrierCalls.run("rdma_destroy_id", this::end), 0);
        // After the gate: an Error here must not have the object destroyed twice. Another destroy
        // completes this one.
        channel.release(number);
    }

    private int end() {
        try (Arena arena = Arena.ofConfined()) {
            EventCalls calls = channel.calls;
            int ignored = calls.destroyId(calls.callState(arena), address);
            return 0;
        }
    }
}
