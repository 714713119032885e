package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A memory region. Its local and its remote key are the same number, as with most devices; what the
 * number allows is a matter of the access flags.
 */
final class SoftMr implements MrOps, IdTable.Entry {
    private static final int DEAD = Integer.MIN_VALUE;
    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(SoftMr.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int key;
    private final SoftPd pd;
    private final int access;
    private final long base;
    private final long length;
    final MemorySegment memory;

    /** How many copies are under way, plus DEAD once deregistered. Atomic additions only. */
    private volatile int uses;

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
        if ((int) USES.getAndAdd(this, 1) >= 0) {
            return true;
        }
        USES.getAndAdd(this, -1);
        return false;
    }

    void release() {
        USES.getAndAdd(this, -1);
    }

    /*
     * Verbs promise that the device does not touch the memory any more once this has returned. All
     * that can be under way is a copy on another thread, which waits for nothing: let it finish.
     */
    @Override
    @SuppressWarnings("ThreadPriorityCheck") // yielding lets the copy finish on this very processor
    public int dereg() {
        if ((int) USES.getAndBitwiseOr(this, DEAD) < 0) {
            return -Errno.EINVAL;
        }
        pd.device.mrs.remove(this);
        while (uses != DEAD) {
            Thread.yield();
        }
        pd.users.remove();
        return 0;
    }
}
