package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.LostRegionException;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.Sge;
import io.loomverbs.internal.device.UsualCauses;
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.DriverFunctions;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.LongSupplier;

/** A memory region of libibverbs, and the memory, which the device uses until it is gone. */
final class IbvMr extends NativeObject<CallGate> implements MrOps {
    /** Each page is pinned and unpinned: a megabyte takes a fraction of a millisecond. */
    static final long LONG_TO_PIN = 1 << 20;

    /** The most that one entry of a list names; a power of two, so that parts begin at pages. */
    private static final long MOST_OF_ENTRY = 1L << 31;

    /**
     * The device reads and writes it. Of a dma-buf, a segment of no bytes. As the following fields,
     * written before the region is published, and then by {@link #rereg}, whose caller publishes
     * it.
     */
    private MemorySegment memory;

    /** The memory that the device may also use, since a change has failed midway. */
    private @Nullable MemorySegment doubtful;

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

    /** {@code ibv_reg_dmabuf_mr}. */
    static IbvMr ofDmabuf(
            IbvContext context, long pd, long offset, long length, long iova, int fd, int access) {
        if (!Libibverbs.hasRegDmabufMr()) {
            throw DeviceException.unsupported("ibv_reg_dmabuf_mr");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            IbvMr mr = new IbvMr(context, MemorySegment.ofAddress(iova));
            mr.create(
                    "ibv_reg_dmabuf_mr",
                    call,
                    id -> Libibverbs.regDmabufMr(call, pd, offset, length, iova, fd, access),
                    length + " bytes at " + offset + " of descriptor " + fd);
            return mr;
        }
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
    public MrOps rereg(int flags, @Nullable PdOps pd, @Nullable MemorySegment to, int access) {
        IbvPd domain = null;
        if (pd != null) {
            if (!(pd instanceof IbvPd known) || known.context != context) {
                throw new DeviceException(Errno.EINVAL, "the PD is of another context");
            }
            domain = known;
        }
        IbvPd of = domain;
        if (isShort() && (to == null || to.byteSize() < LONG_TO_PIN)) {
            change(flags, of, to, access);
            return this;
        }
        return OffCarrierCalls.run(
                "ibv_rereg_mr",
                () -> {
                    change(flags, of, to, access);
                    return this;
                });
    }

    private void change(int flags, @Nullable IbvPd pd, @Nullable MemorySegment to, int access) {
        if (!guard.enter()) {
            throw new DeviceException(Errno.EINVAL, "the MR was deregistered");
        }
        try {
            if (pd == null) {
                change(flags, 0, to, access);
                return;
            }
            if (!pd.guard.enter()) {
                throw new DeviceException(Errno.EINVAL, "the PD was deallocated");
            }
            try {
                change(flags, pd.address(), to, access);
            } finally {
                pd.guard.leave();
            }
        } finally {
            guard.leave();
        }
    }

    private void change(int flags, long pd, @Nullable MemorySegment to, int access) {
        boolean hasOptional = Libibverbs.hasRegMrIova2();
        int allowed = hasOptional ? access : access & ~Ibv.ACCESS_RELAXED_ORDERING;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            doubtful = to; // first: from now on the device may use it
            int code =
                    Libibverbs.reregMr(
                            call,
                            nativeAddress(),
                            flags,
                            pd,
                            to == null ? 0 : to.address(),
                            to == null ? 0 : to.byteSize(),
                            (flags & Ibv.REREG_MR_CHANGE_ACCESS) == 0 ? 0 : allowed);
            if (code != 0 && code != Ibv.REREG_MR_ERR_DO_FORK_OLD) {
                throw refusal(code, Libibverbs.errno(call), flags);
            }
            memory = to == null ? memory : to;
            doubtful = null;
            created();
        } finally {
            Reference.reachabilityFence(to);
        }
    }

    /**
     * If the driver has no such function, libibverbs reports a failed command, although it has not
     * begun any.
     */
    private DeviceException refusal(int code, int errno, int flags) {
        int reason = errno > 0 ? errno : Errno.EIO;
        boolean isAsBefore =
                code == Ibv.REREG_MR_ERR_INPUT
                        || code == Ibv.REREG_MR_ERR_DONT_FORK_NEW
                        || reason == Errno.EOPNOTSUPP
                        || reason == Errno.ENOSYS;
        String what =
                context
                        + ", flags 0x"
                        + Integer.toHexString(flags)
                        + UsualCauses.of("ibv_rereg_mr", reason);
        if (isAsBefore) {
            doubtful = null;
            return new DeviceException(reason, what + "; the region is as before");
        }
        return new LostRegionException(
                reason, what + "; the region must not be used any more, only closed");
    }

    @Override
    public int advise(int advice, boolean flush, long address, long bytes) {
        MemorySegment function = context.adviseMr;
        if (function == null) {
            return -Errno.EOPNOTSUPP;
        }
        return bytes < LONG_TO_PIN
                ? advise(function, advice, flush, address, bytes)
                : OffCarrierCalls.run(
                        "ibv_advise_mr", () -> advise(function, advice, flush, address, bytes));
    }

    private int advise(
            MemorySegment function, int advice, boolean flush, long address, long bytes) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            int entries = (int) ((bytes - 1) / MOST_OF_ENTRY) + 1;
            MemorySegment list = arena.allocate((long) entries * Sge.BYTES, Long.BYTES);
            for (int i = 0; i < entries; i++) {
                long from = i * MOST_OF_ENTRY;
                int length = (int) Math.min(MOST_OF_ENTRY, bytes - from);
                Sge.put(list, 0, i, address + from, length, lkey);
            }
            return DriverFunctions.adviseMr(
                    Libibverbs.callState(arena),
                    function,
                    Struct.i64At(nativeAddress() + IbvLayouts.IbvMr.PD),
                    advice,
                    flush ? Ibv.ADVISE_MR_FLAG_FLUSH : 0,
                    list.address(),
                    entries);
        } finally {
            guard.leave();
        }
    }

    /**
     * Whether its memory is pinned and unpinned quickly. That of a dma-buf may have to be moved.
     */
    private boolean isShort() {
        long bytes = memory.byteSize();
        return bytes > 0 && bytes < LONG_TO_PIN && doubtful == null;
    }

    @Override
    public int dereg() {
        return isShort()
                ? destroyNative()
                : OffCarrierCalls.run("ibv_dereg_mr", this::destroyNative);
    }
}
