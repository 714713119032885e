package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/** A completion queue of libibverbs. */
final class IbvCq implements CqOps {
    final IbvContext context;
    final CqListener events;

    /** What the reader of the channel counts. */
    final UnackedReads reads = new UnackedReads();

    private final TurnGuard guard = new TurnGuard();
    private final MemorySegment pollCq;
    private final MemorySegment reqNotifyCq;
    private final long id;

    /** The {@code ibv_cq}. Written once, before the CQ is handed to anybody. */
    private long address;

    private volatile int cqe;

    private IbvCq(IbvContext context, CqListener events) {
        this.context = context;
        this.events = events;
        this.pollCq = context.pollCq;
        this.reqNotifyCq = context.reqNotifyCq;
        this.id = context.objects.add(this);
    }

    /**
     * {@code ibv_create_cq}.
     *
     * @param channel the {@code ibv_comp_channel}, or 0
     */
    static IbvCq create(
            IbvContext context, int cqe, long channel, int compVector, CqListener events) {
        IbvCq cq = new IbvCq(context, events);
        try (Arena arena = Arena.ofConfined()) {
            long address =
                    Libibverbs.createCq(
                            Libibverbs.callState(arena),
                            context.address(),
                            cqe,
                            cq.id,
                            channel,
                            compVector);
            if (address < 0) {
                context.objects.remove(cq.id);
                throw Failures.of(
                        "ibv_create_cq", address, "cqe " + cqe + ", comp_vector " + compVector);
            }
            cq.address = address;
            cq.readCqe();
        }
        return cq;
    }

    private void readCqe() {
        cqe = Struct.at(address + IbvLayouts.IbvCq.CQE, Integer.BYTES).i32(0);
    }

    long address() {
        return address;
    }

    @Override
    public int cqe() {
        return cqe;
    }

    @Override
    public int poll(MemorySegment wcs, long at, int max) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try {
            return Libibverbs.pollCq(pollCq, address, max, wcs.address() + at);
        } finally {
            guard.leave();
            Reference.reachabilityFence(wcs);
        }
    }

    @Override
    public int reqNotify(boolean solicitedOnly) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try {
            return Libibverbs.reqNotifyCq(reqNotifyCq, address, solicitedOnly);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int destroy() {
        if (!guard.destroy()) {
            return -Errno.EINVAL;
        }
        long unacked = reads.close();
        if (unacked != 0) {
            Libibverbs.ackCqEvents(address, (int) unacked);
        }
        int rc;
        try (Arena arena = Arena.ofConfined()) {
            rc = Libibverbs.destroyCq(Libibverbs.callState(arena), address);
        }
        if (rc != 0) {
            reads.reopen();
            guard.revive();
            return rc;
        }
        context.objects.remove(id);
        return 0;
    }
}
