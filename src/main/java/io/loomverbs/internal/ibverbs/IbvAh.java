package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts.IbvAhAttr;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/** An address handle of libibverbs. */
final class IbvAh extends NativeObject<CallGate> implements AhOps {
    private IbvAh(IbvContext context) {
        super(context, new CallGate(), Libibverbs::destroyAh);
    }

    /** {@code ibv_create_ah}. */
    static IbvAh create(IbvContext context, long pd, AhAttr attr) {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvAhAttr.BYTES);
            write(attr, struct, 0);
            MemorySegment call = Libibverbs.callState(arena);
            return create(
                    context,
                    call,
                    () -> Libibverbs.createAh(call, pd, struct.address()),
                    attr.toString());
        }
    }

    /**
     * @param creation makes the {@code ibv_ah}; a negative errno if it cannot
     */
    static IbvAh create(
            IbvContext context, MemorySegment call, LongSupplier creation, String arguments) {
        IbvAh ah = new IbvAh(context);
        ah.create("ibv_create_ah", call, id -> creation.getAsLong(), arguments);
        return ah;
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
        to.u8(at + IbvAhAttr.SRC_PATH_BITS, attr.srcPathBits());
        to.u8(at + IbvAhAttr.STATIC_RATE, attr.staticRate());
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
                from.u8(at + IbvAhAttr.PORT_NUM),
                from.u8(at + IbvAhAttr.SRC_PATH_BITS),
                from.u8(at + IbvAhAttr.STATIC_RATE));
    }

    @Override
    public long address() {
        return nativeAddress();
    }

    @Override
    public int destroy() {
        return destroyNative();
    }
}
