package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A memory region. Its local and its remote key are the same number, as with most devices; the
 * access flags decide what the number allows.
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
     * As verbs describes it: the region is registered anew under another key, and then
     * deregistered. So a program that keeps the old key fails here.
     */
    @Override
    public MrOps rereg(
            int flags, @Nullable PdOps newPd, @Nullable MemorySegment newMemory, int newAccess) {
        if (newPd != null && !(newPd instanceof SoftPd)) {
            throw SoftContext.invalid("the PD is of another device");
        }
        SoftPd to = newPd == null ? pd : (SoftPd) newPd;
        MrOps anew = to.regMr(newMemory == null ? memory : newMemory, newAccess);
        boolean replaced = false;
        try {
            int rc = dereg();
            if (rc != 0) {
                throw new DeviceException(
                        -rc,
                        rc == -Errno.EBUSY ? "a window is bound to it" : "it was deregistered");
            }
            replaced = true;
            return anew;
        } finally {
            if (!replaced) {
                anew.dereg();
            }
        }
    }

    /** Memory of a JVM is paged by the system, and soft0 copies it as any thread does. */
    @Override
    public int advise(int advice, boolean flush, long address, long bytes) {
        if (pd.device.strict) {
            return -Errno.EOPNOTSUPP;
        }
        if ((access & Ibv.ACCESS_ON_DEMAND) == 0 || gate.isDestroyed()) {
            return -Errno.EINVAL;
        }
        if (advice == Ibv.ADVISE_MR_ADVICE_PREFETCH_WRITE
                && (access & Ibv.ACCESS_LOCAL_WRITE) == 0) {
            return -Errno.EPERM;
        }
        return grants(0, address, bytes) && memory.scope().isAlive() ? 0 : -Errno.EFAULT;
    }

    /*
     * Verbs guarantees that the device no longer touches the memory once this has returned. The
     * only thing that can be under way is a copy on another thread, which waits for nothing. A
     * region with windows stays, and copies continue.
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
