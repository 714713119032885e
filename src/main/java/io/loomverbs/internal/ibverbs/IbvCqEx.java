package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcExtras;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.ffi.CqExFunctions;
import io.loomverbs.internal.ffi.DriverFunctions;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.IbvLayouts.IbvCqInitAttrEx;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/**
 * An extended completion queue of libibverbs. It is an {@code ibv_cq}, too: only a poll differs,
 * which reads each completion field by field.
 */
final class IbvCqEx extends IbvCq {
    private static final long[] NO_EXTRAS = {};

    /** An immediate, or the key that the message has made invalid. */
    private static final int CARRIES_DATA = Ibv.WC_WITH_IMM | Ibv.WC_WITH_INV;

    /** The driver's clock is being set for some microseconds; this many take milliseconds. */
    private static final int MOST_STARTS = 1 << 16;

    private final int wcFlags;

    /** By how much a mutex exceeds 40 bytes here. */
    private final int excess;

    /**
     * Whether the driver is between {@code ibv_start_poll} and {@code ibv_end_poll}, and holds its
     * lock. By the thread inside the gate. If that thread could not end the poll, for lack of
     * stack, the next one does.
     */
    private boolean isPolling;

    private IbvCqEx(IbvContext context, int wcFlags, CqListener events) {
        super(context, events);
        this.wcFlags = wcFlags;
        this.excess = Math.max(0, IbvLayouts.mutexExcess(context.address()));
    }

    /**
     * {@code ibv_create_cq_ex}.
     *
     * @param channel the {@code ibv_comp_channel}, or 0
     * @param wcFlags what completions have beyond the standard fields
     */
    static IbvCqEx create(
            IbvContext context,
            int cqe,
            long channel,
            int compVector,
            int wcFlags,
            CqListener events) {
        MemorySegment function = context.createCqEx;
        if (function == null) {
            throw DeviceException.unsupported("ibv_create_cq_ex");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            Struct attr = Struct.allocate(arena, IbvCqInitAttrEx.BYTES);
            attr.i32(IbvCqInitAttrEx.CQE, cqe);
            attr.i64(IbvCqInitAttrEx.CHANNEL, channel);
            attr.i32(IbvCqInitAttrEx.COMP_VECTOR, compVector);
            attr.i64(IbvCqInitAttrEx.WC_FLAGS, Ibv.WC_STANDARD_FLAGS | wcFlags);
            LongUnaryOperator creation =
                    id -> {
                        attr.i64(IbvCqInitAttrEx.CQ_CONTEXT, id);
                        return DriverFunctions.createCqEx(
                                call, function, context.address(), attr.address());
                    };
            String arguments = "cqe " + cqe + ", comp_vector " + compVector;
            return create(context, wcFlags, events, call, creation, arguments);
        }
    }

    /**
     * @param creation makes the {@code ibv_cq_ex} whose {@code cq_context} is the number it is
     *     given; a negative errno if it cannot
     */
    static IbvCqEx create(
            IbvContext context,
            int wcFlags,
            CqListener events,
            MemorySegment call,
            LongUnaryOperator creation,
            String arguments) {
        CqExFunctions.link();
        IbvCqEx cq = new IbvCqEx(context, wcFlags, events);
        cq.create("ibv_create_cq_ex", call, creation, arguments);
        return cq;
    }

    @Override
    public int poll(MemorySegment wcs, long at, int max) {
        return pollEx(wcs, at, max, NO_EXTRAS);
    }

    @Override
    public int pollEx(MemorySegment wcs, long at, int max, long[] extras) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        boolean overrun = hasFailed(); // before: completions until then can still be polled
        int n;
        try {
            n = read(nativeAddress(), wcs, at, max, extras);
            counted(n);
        } finally {
            guard.leave();
        }
        return n > 0 || (n == 0 && !overrun) ? n : -Errno.EIO;
    }

    /*
     * A start and an end for each completion, although ibv_next_poll would go on to the next: where
     * that finds nothing, the driver of soft-RoCE up to rdma-core 58 has left the CQ already, and
     * the end that ibv_create_cq_ex(3) demands then takes a completion that is not there.
     */
    private int read(long cq, MemorySegment wcs, long at, int max, long[] extras) {
        if (isPolling) {
            end(cq);
        }
        int n = 0;
        while (n < max) {
            int rc = start(cq);
            if (rc != 0) {
                return n > 0 || rc == Errno.ENOENT ? n : -Math.abs(rc);
            }
            isPolling = true;
            try {
                long to = at + (long) n * WcStruct.BYTES;
                boolean done = readOne(cq, wcs, to);
                if (extras.length > 0) {
                    readExtras(cq, done, extras, WcExtras.index(to));
                }
                n++;
            } finally {
                end(cq);
            }
        }
        return n;
    }

    /**
     * As {@code ibv_create_cq_ex(3)} says, {@code EBUSY} passes, and the completion stays. Errors
     * are positive there; but the -2 of mlx4, mlx5 and hns is a number of their own, for a
     * completion that they cannot read, and not {@code ENOENT}.
     */
    private int start(long cq) {
        int rc = CqExFunctions.startPoll(cq, excess);
        for (int i = 1; rc == Errno.EBUSY && i < MOST_STARTS; i++) {
            Thread.onSpinWait();
            rc = CqExFunctions.startPoll(cq, excess);
        }
        return rc;
    }

    private void end(long cq) {
        CqExFunctions.endPoll(cq, excess);
        isPolling = false;
    }

    /**
     * Reads the valid fields of the completion that the poll has reached.
     *
     * @return whether the work was done
     */
    private boolean readOne(long cq, MemorySegment wcs, long to) {
        long fields = cq + excess;
        long wrId = Struct.i64At(fields + IbvLayouts.IbvCqEx.WR_ID);
        int status = Struct.i32At(fields + IbvLayouts.IbvCqEx.STATUS);
        int qpNum = CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_QP_NUM);
        if (status != Ibv.WC_SUCCESS) {
            int vendorErr = CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_VENDOR_ERR);
            WcStruct.put(wcs, to, wrId, status, 0, 0, 0, qpNum, 0, 0, 0, 0);
            WcStruct.putRest(wcs, to, vendorErr, 0);
            return false;
        }
        int opcode = CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_OPCODE);
        int byteLen = CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_BYTE_LEN);
        if ((opcode & Ibv.WC_RECV) == 0) {
            WcStruct.put(wcs, to, wrId, status, opcode, byteLen, 0, qpNum, 0, 0, 0, 0);
            return true;
        }
        int flags = CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_WC_FLAGS);
        flags = context.kernelFlags ? translated(flags) : flags;
        WcStruct.put(
                wcs,
                to,
                wrId,
                status,
                opcode,
                byteLen,
                (flags & CARRIES_DATA) == 0
                        ? 0
                        : CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_IMM_DATA),
                qpNum,
                CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_SRC_QP),
                flags,
                CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_SLID),
                CqExFunctions.read8(cq, fields + IbvLayouts.IbvCqEx.READ_SL));
        WcStruct.putRest(
                wcs,
                to,
                0,
                CqExFunctions.read8(cq, fields + IbvLayouts.IbvCqEx.READ_DLID_PATH_BITS));
        return true;
    }

    private void readExtras(long cq, boolean done, long[] extras, int index) {
        long fields = cq + excess;
        WcExtras.put(
                extras,
                index,
                done && has(Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP)
                        ? CqExFunctions.read64(cq, fields + IbvLayouts.IbvCqEx.READ_COMPLETION_TS)
                        : 0,
                done && has(Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK)
                        ? CqExFunctions.read64(
                                cq, fields + IbvLayouts.IbvCqEx.READ_COMPLETION_WALLCLOCK_NS)
                        : 0,
                done && has(Ibv.WC_EX_WITH_CVLAN)
                        ? CqExFunctions.read16(cq, fields + IbvLayouts.IbvCqEx.READ_CVLAN)
                        : 0,
                done && has(Ibv.WC_EX_WITH_FLOW_TAG)
                        ? CqExFunctions.read32(cq, fields + IbvLayouts.IbvCqEx.READ_FLOW_TAG)
                        : 0);
    }

    private boolean has(int flag) {
        return (wcFlags & flag) != 0;
    }
}
