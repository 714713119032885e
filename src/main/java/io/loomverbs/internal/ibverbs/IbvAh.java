package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts.IbvAhAttr;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An address handle of libibverbs. */
final class IbvAh implements AhOps {
    final CallGate guard = new CallGate();
    private final IbvContext context;
    private final long address;

    /** Its key in the context, which keeps it alive. */
    private final long id;

    /**
     * @param address the {@code ibv_ah}, which it takes over
     */
    IbvAh(IbvContext context, long address) {
        this.context = context;
        this.address = address;
        this.id = context.objects.add(this);
    }

    /** {@code ibv_create_ah}. */
    static IbvAh create(IbvContext context, long pd, AhAttr attr) {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvAhAttr.BYTES);
            write(attr, struct, 0);
            long address = Libibverbs.createAh(Libibverbs.callState(arena), pd, struct.address());
            if (address < 0) {
                throw Failures.of("ibv_create_ah", address, attr.toString());
            }
            return new IbvAh(context, address);
        }
    }

    static void write(AhAttr attr, Struct to, int at) {
        to.be64(at + IbvAhAttr.GRH__DGID, attr.dgidHigh());
        to.be64(at + IbvAhAttr.GRH__DGID + Long.BYTES, attr.dgidLow());
        to.i32(at + IbvAhAttr.GRH__FLOW_LABEL, attr.flowLabel());
        to.u8(at + IbvAhAttr.GRH__SGID_INDEX, attr.sgidIndex());
        to.u8(at + IbvAhAttr.GRH__HOP_LIMIT, attr.hopLimit());
        to.u8(at + IbvAhAttr.GRH__TRAFFIC_CLASS, attr.trafficClass());
        to.u16(at + IbvAhAttr.DLID, attr.dlid());
        to.u8(at + IbvAhAttr.SL, attr.sl());
        to.u8(at + IbvAhAttr.IS_GLOBAL, attr.global() ? 1 : 0);
        to.u8(at + IbvAhAttr.PORT_NUM, attr.portNum());
    }

    static AhAttr read(Struct from, int at) {
        return new AhAttr(
                from.be64(at + IbvAhAttr.GRH__DGID),
                from.be64(at + IbvAhAttr.GRH__DGID + Long.BYTES),
                from.u8(at + IbvAhAttr.IS_GLOBAL) != 0,
                from.u8(at + IbvAhAttr.GRH__SGID_INDEX),
                from.u8(at + IbvAhAttr.GRH__HOP_LIMIT),
                from.u8(at + IbvAhAttr.GRH__TRAFFIC_CLASS),
                from.i32(at + IbvAhAttr.GRH__FLOW_LABEL),
                from.u16(at + IbvAhAttr.DLID),
                from.u8(at + IbvAhAttr.SL),
                from.u8(at + IbvAhAttr.PORT_NUM));
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public int destroy() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            int rc = guard.destroy(() -> Libibverbs.destroyAh(call, address), -Errno.EINVAL);
            if (rc == 0) {
                context.objects.remove(id);
            }
            return rc;
        }
    }
}
