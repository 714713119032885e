package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.event.CallGate;

import java.lang.foreign.MemorySegment;

/**
 * A memory region. Its local and its remote key are the same number, as with most devices; what the
 * number allows is a matter of the access flags.
 */
final class SoftMr implements MrOps, IdTable.Entry {
    private final int key;
    private final SoftPd pd;
    private final int access;
    private final long base;
    private final long length;
    final MemorySegment memory;

    /** Copies that are under way are inside. */
    private final CallGate gate = new CallGate();

    SoftMr(int key, SoftPd pd, MemorySegment memory, int access) {
        this.key = key;
        this.pd = pd;
        this.memory = memory;
        this.access = access;
        this.base = memory.address();
        this.length = memory.byteSize();
    }

    @Override
    public int id() {
        return key;
    }

    @Override
    public int lkey() {
        return key;
    }

    @Override
    public int rkey() {
        return key;
    }

    /** Whether {@code pd} may do to these bytes what {@code wanted} says; 0 is a local read. */
    boolean grants(SoftPd pd, int wanted, long addr, long bytes) {
        long offset = addr - base;
        return this.pd == pd
                && (access & wanted) == wanted
                && offset >= 0
                && offset <= length - bytes;
    }

    long offset(long addr) {
        return addr - base;
    }

    /** Enters a copy; must be followed by {@link #release} if true. */
    boolean acquire() {
        return gate.tryEnter();
    }

    void release() {
        gate.leave();
    }

    /*
     * Verbs promise that the device does not touch the memory any more once this has returned. All
     * that can be under way is a copy on another thread, which waits for nothing.
     */
    @Override
    public int dereg() {
        return gate.destroy(
                () -> {
                    pd.device.mrs.remove(this);
                    pd.users.remove();
                    return 0;
                },
                -Errno.EINVAL);
    }
}
