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
    private final long address;
    private final int lkey;
    private final int rkey;
    private final AtomicBoolean gone = new AtomicBoolean();

    @SuppressWarnings({"unused", "FieldCanBeLocal"}) // the device reads and writes it
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
        try (Arena arena = Arena.ofConfined()) {
            int rc = Libibverbs.deregMr(Libibverbs.callState(arena), address);
            if (rc != 0) {
                gone.set(false);
            }
            return rc;
        }
    }
}
