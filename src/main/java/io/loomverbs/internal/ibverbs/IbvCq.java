package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.ExclusiveCallGate;
import io.loomverbs.internal.ffi.DriverFunctions;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.IbvLayouts.IbvModifyCqAttr;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.LongUnaryOperator;

/** A completion queue of libibverbs. */
class IbvCq extends NativeObject<ExclusiveCallGate> implements CqOps {
    /** How many completions are fetched at a time for a batch on the heap. */
    private static final int POLLED_AT_ONCE = 16;

    final CqListener events;

    /** The events that the channel's reader has read. */
    final UnackedReads reads = new UnackedReads();

    private final long pollCq;
    private final long reqNotifyCq;
    private volatile int cqe;

    /*
     * Counted by the thread that is inside the gate, and by the one that reads the channel. Other
     * threads may see an earlier value.
     */
    private long polled;
    private long arms;
    private long eventsRead;

    /** Whether it has overrun: completions in it can be polled, and then a poll fails. */
    private volatile boolean failed;

    /** Records a failure before the application is notified. */
    private final class Listener implements CqListener {
        private final CqListener application;

        Listener(CqListener application) {
            this.application = application;
        }

        @Override
        public void completionEvent() {
            application.completionEvent();
        }

        @Override
        public void asyncEvent(int type) {
            if (type == Ibv.EVENT_CQ_ERR) {
                failed = true;
            }
            application.asyncEvent(type);
        }
    }

    IbvCq(IbvContext context, CqListener events) {
        super(context, new ExclusiveCallGate(), Libibverbs::destroyCq);
        this.events = new Listener(events);
        this.pollCq = context.pollCq;
        this.reqNotifyCq = context.reqNotifyCq;
    }

    /**
     * {@code ibv_create_cq}.
     *
     * @param channel the {@code ibv_comp_channel}, or 0
     */
    static IbvCq create(
            IbvContext context, int cqe, long channel, int compVector, CqListener events) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return create(
                    context,
                    events,
                    call,
                    id ->
                            Libibverbs.createCq(
                                    call, context.address(), cqe, id, channel, compVector),
                    "cqe " + cqe + ", comp_vector " + compVector);
        }
    }

    /**
     * @param creation makes the {@code ibv_cq} whose {@code cq_context} is the number it is given;
     *     a negative errno if it cannot
     */
    static IbvCq create(
            IbvContext context,
            CqListener events,
            MemorySegment call,
            LongUnaryOperator creation,
            String arguments) {
        IbvCq cq = new IbvCq(context, events);
        cq.create("ibv_create_cq", call, creation, arguments);
        return cq;
    }

    @Override
    void created() {
        readCqe();
    }

    /**
     * Counts an event of this CQ that was read from its channel, and is about to be raised.
     *
     * @param cq the {@code ibv_cq}, which an event may name before its creation has returned
     */
    void eventWasRead(long cq) {
        eventsRead++;
        if (!reads.add()) {
            // First: the destroyer waits for it and blocks its carrier, and this thread may have to
            // park below.
            Libibverbs.ackCqEvents(cq, 1);
        }
    }

    private void readCqe() {
        cqe = Struct.i32At(nativeAddress() + IbvLayouts.IbvCq.CQE);
    }

    long address() {
        return nativeAddress();
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
        boolean overrun = failed; // before: completions until then can still be polled
        int n;
        try {
            n =
                    wcs.isNative()
                            ? DriverFunctions.pollCq(
                                    pollCq, nativeAddress(), max, wcs.address() + at)
                            : pollToHeap(wcs, at, max);
            if (n > 0) {
                polled += n;
                if (context.kernelFlags) {
                    translateFlags(wcs, at, n);
                }
            }
        } finally {
            guard.leave();
            Reference.reachabilityFence(wcs);
        }
        return n > 0 || (n == 0 && !overrun) ? n : -Errno.EIO;
    }

    private static void translateFlags(MemorySegment wcs, long at, int n) {
        for (int i = 0; i < n; i++) {
            long wc = at + (long) i * WcStruct.BYTES;
            WcStruct.wcFlags(wcs, wc, translated(WcStruct.wcFlags(wcs, wc)));
        }
    }

    /** The kernel's number of the flag WITH_INVALIDATE is that of IP_CSUM_OK in verbs. */
    static int translated(int flags) {
        return (flags & Ibv.WC_IP_CSUM_OK) == 0
                ? flags
                : (flags & ~Ibv.WC_IP_CSUM_OK) | Ibv.WC_WITH_INV;
    }

    /** Whether it has overrun. */
    final boolean hasFailed() {
        return failed;
    }

    /** Counts a poll that returned {@code n}. By the thread inside the gate. */
    final void counted(int n) {
        polled += Math.max(n, 0);
    }

    private int pollToHeap(MemorySegment wcs, long at, int max) {
        Scratch scratch = Scratch.take();
        try {
            MemorySegment from = scratch.ofAtLeast(POLLED_AT_ONCE * WcStruct.BYTES);
            int total = 0;
            int n;
            int wanted;
            do {
                wanted = Math.min(POLLED_AT_ONCE, max - total);
                n = DriverFunctions.pollCq(pollCq, nativeAddress(), wanted, from.address());
                if (n > 0) {
                    long to = at + (long) total * WcStruct.BYTES;
                    MemorySegment.copy(from, 0, wcs, to, (long) n * WcStruct.BYTES);
                    total += n;
                }
            } while (n == wanted && total < max);
            return total > 0 ? total : n;
        } finally {
            scratch.give();
        }
    }

    @Override
    public int reqNotify(boolean solicitedOnly) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try {
            int rc = DriverFunctions.reqNotifyCq(reqNotifyCq, nativeAddress(), solicitedOnly);
            arms += rc == 0 ? 1 : 0;
            return rc;
        } finally {
            guard.leave();
        }
    }

    @Override
    public long polled() {
        return polled;
    }

    @Override
    public long arms() {
        return arms;
    }

    @Override
    public long events() {
        return eventsRead;
    }

    @Override
    public int resize(int wanted) {
        if (!guard.enterLong()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            int rc = Libibverbs.resizeCq(Libibverbs.callState(arena), nativeAddress(), wanted);
            if (rc == 0) {
                readCqe();
            }
            return rc;
        } finally {
            guard.leaveLong();
        }
    }

    @Override
    public int moderate(int count, int periodMicros) {
        MemorySegment function = context.modifyCq;
        if (function == null) {
            return -Errno.EOPNOTSUPP;
        }
        if (!guard.enterLong()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct attr = Struct.allocate(arena, IbvModifyCqAttr.BYTES);
            attr.i32(IbvModifyCqAttr.ATTR_MASK, Ibv.CQ_ATTR_MODERATE);
            attr.u16(IbvModifyCqAttr.MODERATE__CQ_COUNT, count);
            attr.u16(IbvModifyCqAttr.MODERATE__CQ_PERIOD, periodMicros);
            return DriverFunctions.modifyCq(
                    Libibverbs.callState(arena), function, nativeAddress(), attr.address());
        } finally {
            guard.leaveLong();
        }
    }

    @Override
    public int destroy() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return destroy(() -> Libibverbs.destroyCq(call, nativeAddress()));
        }
    }

    /**
     * @param destruction destroys the {@code ibv_cq}. Whether it refuses or throws, the CQ is
     *     usable then
     */
    int destroy(FdEventFeed.Destruction destruction) {
        return destroyNative(() -> destroyAcked(destruction));
    }

    private int destroyAcked(FdEventFeed.Destruction destruction) {
        boolean destroyed = false;
        long unacked = reads.close();
        try {
            if (unacked != 0) {
                Libibverbs.ackCqEvents(nativeAddress(), (int) unacked);
                unacked = 0;
            }
            int rc = destruction.run();
            destroyed = context.outcome(rc) == 0;
            if (destroyed && rc != 0) {
                leaveChannel();
            }
            return destroyed ? 0 : rc;
        } finally {
            if (!destroyed) {
                reads.reopen(unacked);
            }
        }
    }

    /** Of a device that is gone: libibverbs counts the CQ among those of its channel for good. */
    private void leaveChannel() {
        long channel = Struct.i64At(nativeAddress() + IbvLayouts.IbvCq.CHANNEL);
        if (channel != 0) {
            context.leave(channel);
        }
    }

    @Override
    public boolean isDestroyed() {
        return guard.isDestroyed();
    }
}
