package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.DriverFunctions;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.IbvLayouts.IbvMwBind;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/**
 * A memory window of libibverbs. Drivers take the key that a bind replaces from the {@code ibv_mw},
 * so a key that the program sets is written there as well as here.
 */
final class IbvMw extends NativeObject<CallGate> implements MwOps {
    private volatile int rkey;

    private IbvMw(IbvContext context) {
        super(
                context,
                new CallGate(),
                (call, mw) -> DriverFunctions.deallocMw(call, context.deallocMw, mw));
    }

    /** {@code ibv_alloc_mw}. */
    static IbvMw alloc(IbvContext context, long pd, int type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return create(
                    context,
                    call,
                    () ->
                            context.allocMw == 0
                                    ? -Errno.EOPNOTSUPP
                                    : DriverFunctions.allocMw(call, context.allocMw, pd, type),
                    "type " + type);
        }
    }

    /**
     * @param creation makes the {@code ibv_mw}; a negative errno if it cannot
     */
    static IbvMw create(
            IbvContext context, MemorySegment call, LongSupplier creation, String arguments) {
        IbvMw mw = new IbvMw(context);
        mw.create("ibv_alloc_mw", call, id -> creation.getAsLong(), arguments);
        return mw;
    }

    @Override
    void created() {
        rkey = Struct.i32At(nativeAddress() + IbvLayouts.IbvMw.RKEY);
    }

    @Override
    public int rkey() {
        return rkey;
    }

    @Override
    public void rkey(int newKey) {
        if (guard.enter()) {
            try {
                posted(newKey);
            } finally {
                guard.leave();
            }
        }
    }

    /** Inside the gate: a bind to this key was posted. */
    void posted(int newKey) {
        struct().i32(IbvLayouts.IbvMw.RKEY, newKey);
        rkey = newKey;
    }

    private Struct struct() {
        return Struct.at(nativeAddress(), IbvLayouts.IbvMw.BYTES);
    }

    /** {@code ibv_bind_mw}, inside the gates of the three; the driver sets the new key. */
    int bind(long qp, SendWr wr, IbvMr mr) {
        try (Arena arena = Arena.ofConfined()) {
            Struct bind = Struct.allocate(arena, IbvMwBind.BYTES);
            bind.i64(IbvMwBind.WR_ID, wr.wrId());
            bind.i32(IbvMwBind.SEND_FLAGS, wr.sendFlags());
            bind.i64(IbvMwBind.BIND_INFO__MR, mr.address());
            bind.i64(IbvMwBind.BIND_INFO__ADDR, wr.bindAddr());
            bind.i64(IbvMwBind.BIND_INFO__LENGTH, wr.bindLength());
            bind.i32(IbvMwBind.BIND_INFO__MW_ACCESS_FLAGS, wr.bindAccess());
            int rc =
                    DriverFunctions.bindMw(
                            Libibverbs.callState(arena),
                            context.bindMw,
                            qp,
                            nativeAddress(),
                            bind.address());
            rkey = struct().i32(IbvLayouts.IbvMw.RKEY);
            return rc;
        }
    }

    @Override
    public long address() {
        return nativeAddress();
    }

    @Override
    public int dealloc() {
        return destroyNative();
    }
}
