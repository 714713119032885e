package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;
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

/** A protection domain of libibverbs. */
final class IbvPd implements PdOps {
    private final IbvContext context;
    private final CallGate guard = new CallGate();
    private final long address;

    /** Its key in the context, which keeps it alive. */
    private final long id;

    IbvPd(IbvContext context, long address) {
        this.context = context;
        this.address = address;
        this.id = context.objects.add(this);
    }

    @Override
    public MrOps regMr(MemorySegment memory, int access) {
        enter();
        try {
            return memory.byteSize() < IbvMr.LONG_TO_PIN
                    ? IbvMr.register(context, address, memory, access)
                    : OffCarrierCalls.run(
                            "ibv_reg_mr", () -> IbvMr.register(context, address, memory, access));
        } finally {
            guard.leave();
        }
    }

    @Override
    public SrqOps createSrq(SrqAttr attr, AsyncListener events) {
        enter();
        try {
            return IbvSrq.create(context, address, attr, events);
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
            return IbvQp.create(context, address, init, send, recv, (IbvSrq) srq, events);
        } finally {
            guard.leave();
        }
    }

    @Override
    public AhOps createAh(AhAttr attr) {
        enter();
        try {
            // On RoCE, drivers look up the route, and may resolve the neighbor over the network.
            return OffCarrierCalls.run("ibv_create_ah", () -> IbvAh.create(context, address, attr));
        } finally {
            guard.leave();
        }
    }

    private void enter() {
        if (!guard.enter()) {
            throw new DeviceException(Errno.EINVAL, "the PD was deallocated");
        }
    }

    @Override
    public int dealloc() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            int rc = guard.destroy(() -> Libibverbs.deallocPd(call, address), -Errno.EINVAL);
            if (rc == 0) {
                context.objects.remove(id);
            }
            return rc;
        }
    }
}
