package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts.IbvSrqAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvSrqInitAttr;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A shared receive queue of libibverbs. */
final class IbvSrq extends NativeObject<CallGate> implements SrqOps {
    /** Receives its asynchronous events. */
    final AsyncListener events;

    private final long postSrqRecv;

    private IbvSrq(IbvContext context, AsyncListener events) {
        super(context, new CallGate(), Libibverbs::destroySrq);
        this.events = events;
        this.postSrqRecv = context.postSrqRecv;
    }

    /** {@code ibv_create_srq}. */
    static IbvSrq create(IbvContext context, long pd, SrqAttr attr, AsyncListener events) {
        try (Arena arena = Arena.ofConfined()) {
            Struct init = Struct.allocate(arena, IbvSrqInitAttr.BYTES);
            MemorySegment call = Libibverbs.callState(arena);
            IbvSrq srq = new IbvSrq(context, events);
            init.i32(IbvSrqInitAttr.ATTR__MAX_WR, attr.maxWr());
            init.i32(IbvSrqInitAttr.ATTR__MAX_SGE, attr.maxSge());
            srq.create(
                    "ibv_create_srq",
                    call,
                    id -> {
                        init.i64(IbvSrqInitAttr.SRQ_CONTEXT, id);
                        return Libibverbs.createSrq(call, pd, init.address());
                    },
                    attr.toString());
            return srq;
        }
    }

    /** The {@code ibv_srq}; the caller keeps it from being destroyed. */
    long address() {
        return nativeAddress();
    }

    @Override
    public int modify(SrqAttr attr, int mask) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvSrqAttr.BYTES);
            struct.i32(IbvSrqAttr.MAX_WR, attr.maxWr());
            struct.i32(IbvSrqAttr.MAX_SGE, attr.maxSge());
            struct.i32(IbvSrqAttr.SRQ_LIMIT, attr.srqLimit());
            return Libibverbs.modifySrq(
                    Libibverbs.callState(arena), nativeAddress(), struct.address(), mask);
        } finally {
            guard.leave();
        }
    }

    @Override
    public SrqAttr query() {
        if (!guard.enter()) {
            throw new DeviceException(Errno.EINVAL, "the SRQ was destroyed");
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvSrqAttr.BYTES);
            int rc =
                    Libibverbs.querySrq(
                            Libibverbs.callState(arena), nativeAddress(), struct.address());
            if (rc != 0) {
                throw Refusals.of("ibv_query_srq", rc, context.toString());
            }
            return new SrqAttr(
                    struct.i32(IbvSrqAttr.MAX_WR),
                    struct.i32(IbvSrqAttr.MAX_SGE),
                    struct.i32(IbvSrqAttr.SRQ_LIMIT));
        } finally {
            guard.leave();
        }
    }

    @Override
    public long postRecv(RecvWr first) {
        if (!guard.enter()) {
            return PostResult.failed(Errno.EINVAL, 0);
        }
        try {
            return RecvChain.post(postSrqRecv, nativeAddress(), first);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int destroy() {
        return destroyNative();
    }

    @Override
    public boolean isDestroyed() {
        return guard.isDestroyed();
    }
}
