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
final class SoftMr extends KeyedMemory implements MrOps, IdTable.Entry {
    private static final VarHandle WINDOWS;

    static {
        try {
            WINDOWS = MethodHandles.lookup().findVarHandle(SoftMr.class, "windows", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int key;
    final SoftPd pd;

    /** How many windows are bound to it. Raised only inside the gate. */
    private volatile int windows;

    SoftMr(int key, SoftPd pd, MemorySegment memory, int access) {
        super(memory, memory.address(), access);
        this.key = key;
        this.pd = pd;
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

    void boundMore(int more) {
        WINDOWS.getAndAdd(this, more);
    }

    /*
     * Verbs promise that the device does not touch the memory any more once this has returned. All
     * that can be under way is a copy on another thread, which waits for nothing. A region with
     * windows stays, and copies go on.
     */
    @Override
    public int dereg() {
        return windows > 0 ? -Errno.EBUSY : gate.destroy(this::remove, -Errno.EINVAL);
    }

    private int remove() {
        if (windows > 0) {
            return -Errno.EBUSY;
        }
        pd.device.mrs.remove(this);
        pd.users.remove();
        return 0;
    }
}
