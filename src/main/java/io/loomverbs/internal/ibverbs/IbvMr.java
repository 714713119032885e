package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/** A memory region of libibverbs, and the memory, which the device uses until it is gone. */
final class IbvMr extends NativeObject<CallGate> implements MrOps {
    /** Each page is pinned and unpinned: a megabyte takes a fraction of a millisecond. */
    static final long LONG_TO_PIN = 1 << 20;

    /** The device reads and writes it. */
    private final MemorySegment memory;

    private int lkey;
    private int rkey;

    private IbvMr(IbvContext context, MemorySegment memory) {
        super(context, new CallGate(), Libibverbs::deregMr);
        this.memory = memory;
    }

    /** {@code ibv_reg_mr}. */
    static IbvMr register(IbvContext context, long pd, MemorySegment memory, int access) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return create(
                    context,
                    memory,
                    call,
                    () -> register(call, pd, memory, access),
                    "access 0x" + Integer.toHexString(access));
        }
    }

    private static long register(MemorySegment call, long pd, MemorySegment memory, int access) {
        int needed = access & ~Ibv.ACCESS_RELAXED_ORDERING;
        return needed != access && Libibverbs.hasRegMrIova2()
                ? Libibverbs.regMrIova2(call, pd, memory.address(), memory.byteSize(), access)
                : Libibverbs.regMr(call, pd, memory.address(), memory.byteSize(), needed);
    }

    /**
     * @param registration makes the {@code ibv_mr}; a negative errno if it cannot
     */
    static IbvMr create(
            IbvContext context,
            MemorySegment memory,
            MemorySegment call,
            LongSupplier registration,
            String arguments) {
        IbvMr mr = new IbvMr(context, memory);
        mr.create(
                "ibv_reg_mr",
                call,
                id -> registration.getAsLong(),
                memory.byteSize() + " bytes, " + arguments);
        return mr;
    }

    @Override
    void created() {
        lkey = Struct.i32At(nativeAddress() + IbvLayouts.IbvMr.LKEY);
        rkey = Struct.i32At(nativeAddress() + IbvLayouts.IbvMr.RKEY);
    }

    @Override
    public int lkey() {
        return lkey;
    }

    @Override
    public int rkey() {
        return rkey;
    }

    @Override
    public long address() {
        return nativeAddress();
    }

    @Override
    public int dereg() {
        return memory.byteSize() < LONG_TO_PIN
                ? destroyNative()
                : OffCarrierCalls.run("ibv_dereg_mr", this::destroyNative);
    }
}
