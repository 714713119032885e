package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.Libibverbs;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/** A protection domain of libibverbs. */
final class IbvPd extends NativeObject<CallGate> implements PdOps {
    private IbvPd(IbvContext context) {
        super(context, new CallGate(), Libibverbs::deallocPd);
    }

    /** {@code ibv_alloc_pd}. */
    static IbvPd alloc(IbvContext context) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return create(context, call, () -> Libibverbs.allocPd(call, context.address()));
        }
    }

    /**
     * @param creation makes the {@code ibv_pd}; a negative errno if it cannot
     */
    static IbvPd create(IbvContext context, MemorySegment call, LongSupplier creation) {
        IbvPd pd = new IbvPd(context);
        pd.create("ibv_alloc_pd", call, id -> creation.getAsLong(), context.toString());
        return pd;
    }

    @Override
    public MrOps regMr(MemorySegment memory, int access) {
        enter();
        try {
            return memory.byteSize() < IbvMr.LONG_TO_PIN
                    ? IbvMr.register(context, nativeAddress(), memory, access)
                    : OffCarrierCalls.run(
                            "ibv_reg_mr",
                            () -> IbvMr.register(context, nativeAddress(), memory, access));
        } finally {
            guard.leave();
        }
    }

    @Override
    public MwOps allocMw(int type) {
        enter();
        try {
            return IbvMw.alloc(context, nativeAddress(), type);
        } finally {
            guard.leave();
        }
    }

    @Override
    public MrOps regDmabufMr(long offset, long length, long iova, int fd, int access) {
        enter();
        try {
            // A driver of the other device may have to move the memory first.
            return OffCarrierCalls.run(
                    "ibv_reg_dmabuf_mr",
                    () ->
                            IbvMr.ofDmabuf(
                                    context, nativeAddress(), offset, length, iova, fd, access));
        } finally {
            guard.leave();
        }
    }

    @Override
    public SrqOps createSrq(SrqAttr attr, AsyncListener events) {
        enter();
        try {
            return IbvSrq.create(context, nativeAddress(), attr, events);
        } finally {
            guard.leave();
        }
    }

    @Override
    public QpOps createQp(
            QpInit init, CqOps sendCq, CqOps recvCq, @Nullable SrqOps srq, AsyncListener events) {
        if (!(sendCq instanceof IbvCq send)
                || !(recvCq instanceof IbvCq recv)
                || send.context != context
                || recv.context != context) {
            throw new DeviceException(Errno.EINVAL, "a CQ is of another context");
        }
        if (srq != null && !(srq instanceof IbvSrq shared && shared.context == context)) {
            throw new DeviceException(Errno.EINVAL, "the SRQ is of another context");
        }
        enter();
        try {
            return IbvQp.create(context, nativeAddress(), init, send, recv, (IbvSrq) srq, events);
        } finally {
            guard.leave();
        }
    }

    @Override
    public AhOps createAh(AhAttr attr) {
        enter();
        try {
            // On RoCE, drivers look up the route, and may resolve the neighbor over the network.
            return OffCarrierCalls.run(
                    "ibv_create_ah", () -> IbvAh.create(context, nativeAddress(), attr));
        } finally {
            guard.leave();
        }
    }

    /** The {@code ibv_pd}, while the caller keeps it from being deallocated. */
    long address() {
        return nativeAddress();
    }

    private void enter() {
        if (!guard.enter()) {
            throw new DeviceException(Errno.EINVAL, "the PD was deallocated");
        }
    }

    @Override
    public int dealloc() {
        return destroyNative();
    }
}
