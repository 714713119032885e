package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** A memory region of libibverbs. Keeps its memory reachable until it is deregistered. */
final class IbvMr implements MrOps {
    /** Each page is pinned and unpinned: a megabyte takes a fraction of a millisecond. */
    static final long LONG_TO_PIN = 1 << 20;

    private final long address;
    private final int lkey;
    private final int rkey;
    private final AtomicBoolean gone = new AtomicBoolean();

    /** The device reads and writes it. */
    private final MemorySegment memory;

    IbvMr(long address, MemorySegment memory) {
        this.address = address;
        this.memory = memory;
        this.lkey = Struct.at(address + IbvLayouts.IbvMr.LKEY, Integer.BYTES).i32(0);
        this.rkey = Struct.at(address + IbvLayouts.IbvMr.RKEY, Integer.BYTES).i32(0);
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
            if (!deregistered) {
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
