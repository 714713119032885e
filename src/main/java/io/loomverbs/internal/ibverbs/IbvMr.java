package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * A memory region of libibverbs. The context keeps it, and so its memory, from before the device
 * knows the memory until it has forgotten it.
 */
final class IbvMr implements MrOps {
    /** Each page is pinned and unpinned: a megabyte takes a fraction of a millisecond. */
    static final long LONG_TO_PIN = 1 << 20;

    private final IbvContext context;
    private final AtomicBoolean gone = new AtomicBoolean();

    /** The device reads and writes it. */
    private final MemorySegment memory;

    private final long id;

    /** The {@code ibv_mr}. Written once, before the region is published. */
    private long address;

    private int lkey;
    private int rkey;

    private IbvMr(IbvContext context, MemorySegment memory) {
        this.context = context;
        this.memory = memory;
        this.id = context.objects.add(this);
    }

    /** {@code ibv_reg_mr}. */
    static IbvMr register(IbvContext context, long pd, MemorySegment memory, int access) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return create(
                    context,
                    memory,
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
            IbvContext context, MemorySegment memory, LongSupplier registration, String arguments) {
        IbvMr mr = new IbvMr(context, memory);
        boolean registered = false;
        try {
            long address = registration.getAsLong();
            if (address < 0) {
                throw Failures.of(
                        "ibv_reg_mr", address, memory.byteSize() + " bytes, " + arguments);
            }
            mr.address = address;
            mr.lkey = Struct.at(address + IbvLayouts.IbvMr.LKEY, Integer.BYTES).i32(0);
            mr.rkey = Struct.at(address + IbvLayouts.IbvMr.RKEY, Integer.BYTES).i32(0);
            registered = true;
            return mr;
        } finally {
            if (!registered) {
                context.objects.remove(mr.id);
            }
        }
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
    public int dereg() {
        if (!gone.compareAndSet(false, true)) {
            return -Errno.EINVAL;
        }
        boolean deregistered = false;
        try {
            int rc =
                    memory.byteSize() < LONG_TO_PIN
                            ? deregister()
                            : OffCarrierCalls.run("ibv_dereg_mr", this::deregister);
            deregistered = rc == 0;
            return rc;
        } finally {
            if (deregistered) {
                context.objects.remove(id);
            } else {
                gone.set(false);
            }
        }
    }

    private int deregister() {
        try (Arena arena = Arena.ofConfined()) {
            return Libibverbs.deregMr(Libibverbs.callState(arena), address);
        }
    }
}
