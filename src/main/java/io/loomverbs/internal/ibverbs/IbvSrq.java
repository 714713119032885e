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
final class IbvSrq implements SrqOps {
    final IbvContext context;

    /** Receives its asynchronous events. */
    final AsyncListener events;

    private final CallGate guard = new CallGate();
    private final long postSrqRecv;
    private final long id;

    /** The {@code ibv_srq}. Written once, before the queue is published. */
    private long address;

    private IbvSrq(IbvContext context, AsyncListener events) {
        this.context = context;
        this.events = events;
        this.postSrqRecv = context.postSrqRecv;
        this.id = context.objects.add(this);
    }

    /** {@code ibv_create_srq}. */
    static IbvSrq create(IbvContext context, long pd, SrqAttr attr, AsyncListener events) {
        try (Arena arena = Arena.ofConfined()) {
            Struct init = Struct.allocate(arena, IbvSrqInitAttr.BYTES);
            MemorySegment call = Libibverbs.callState(arena);
            IbvSrq srq = new IbvSrq(context, events);
            init.i64(IbvSrqInitAttr.SRQ_CONTEXT, srq.id);
            init.i32(IbvSrqInitAttr.ATTR__MAX_WR, attr.maxWr());
            init.i32(IbvSrqInitAttr.ATTR__MAX_SGE, attr.maxSge());
            long address = Libibverbs.createSrq(call, pd, init.address());
            if (address < 0) {
                context.objects.remove(srq.id);
                throw Failures.of("ibv_create_srq", address, attr.toString());
            }
            srq.address = address;
            return srq;
        }
    }

    /** The {@code ibv_srq}; the caller keeps it from being destroyed. */
    long address() {
        return address;
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
                    Libibverbs.callState(arena), address, struct.address(), mask);
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
            int rc = Libibverbs.querySrq(Libibverbs.callState(arena), address, struct.address());
            if (rc != 0) {
                throw Failures.of("ibv_query_srq", rc, context.toString());
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
            return RecvChain.post(postSrqRecv, address, first);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int destroy() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            int rc = guard.destroy(() -> Libibverbs.destroySrq(call, address), -Errno.EINVAL);
            if (rc == 0) {
                context.objects.remove(id);
            }
            return rc;
        }
    }

    @Override
    public boolean isDestroyed() {
        return guard.isDestroyed();
    }
}
