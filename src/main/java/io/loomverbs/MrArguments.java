package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.event.HelperThreads;

import java.lang.foreign.MemorySegment;

/** Checks which memory can be registered. */
final class MrArguments {
    private static final int REMOTE_CHANGES = Ibv.ACCESS_REMOTE_WRITE | Ibv.ACCESS_REMOTE_ATOMIC;

    private static final int SMALLEST_PAGE = 4096;

    private MrArguments() {}

    static void checkSize(String name, long bytes, Context context) {
        long max = context.attributes().maxMrSize();
        if (bytes < 1 || Long.compareUnsigned(bytes, max) > 0) {
            throw new IllegalArgumentException(
                    name
                            + " is "
                            + bytes
                            + ", but must be 1 to "
                            + Long.toUnsignedString(max)
                            + ": max_mr_size of "
                            + context);
        }
    }

    static void check(MemorySegment memory, int access, Context context) {
        Arguments.notNull(memory, "memory");
        if (!memory.isNative()) {
            throw bad(memory, "is on the heap, where a device cannot reach it");
        }
        checkAlive(memory);
        if (!memory.isAccessibleBy(HelperThreads.OTHER)) {
            throw bad(memory, "is confined to one thread: use a shared or automatic arena");
        }
        checkSize("memory.byteSize()", memory.byteSize(), context);
        if (memory.isReadOnly() && (access & (Ibv.ACCESS_LOCAL_WRITE | REMOTE_CHANGES)) != 0) {
            throw bad(memory, "is read-only, but access is " + Access.of(access));
        }
        checkAccess(access);
    }

    static void checkAlive(MemorySegment memory) {
        if (!memory.scope().isAlive()) {
            throw bad(memory, "was freed: its arena is closed");
        }
    }

    static void checkAccess(int access) {
        Access.checkNotZeroBased(access);
        if ((access & REMOTE_CHANGES) != 0 && (access & Ibv.ACCESS_LOCAL_WRITE) == 0) {
            throw new IllegalArgumentException(
                    "access is "
                            + Access.of(access)
                            + ", but REMOTE_WRITE and REMOTE_ATOMIC need LOCAL_WRITE");
        }
    }

    /** Checks what {@code ibv_rereg_mr} can change in a region. */
    static void check(MrChanges changes, MemoryRegion mr) {
        if (changes.flags() == 0) {
            throw new IllegalArgumentException("changes is " + changes + ", which changes nothing");
        }
        try {
            checkParts(changes, mr, mr.pd().context());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("changes: " + e.getMessage(), e);
        }
    }

    private static void checkParts(MrChanges changes, MemoryRegion mr, Context context) {
        ProtectionDomain pd = changes.pd();
        if (pd != null) {
            Arguments.sameContext("pd", pd, pd.context(), context, mr.toString());
        }
        int access = changes.access(Access.flags(mr.access().toArray(Access[]::new)));
        MemorySegment memory = changes.memory();
        if (memory != null) {
            check(memory, access, context);
        } else if (mr.memory().byteSize() == 0) { // of a dma-buf
            checkAccess(access);
        } else {
            check(mr.memory(), access, context);
        }
    }

    /** A part of a dma-buf. */
    static void checkDmabuf(int fd, long offset, long length, long iova, int access, Context of) {
        Arguments.inRange("fd", fd, 0, Integer.MAX_VALUE, "a file descriptor");
        checkSize("length", length, of);
        Arguments.inRange("offset", offset, 0, Long.MAX_VALUE - length, "the size of a dma-buf");
        if (((iova ^ offset) & SMALLEST_PAGE - 1) != 0) {
            throw new IllegalArgumentException(
                    "iova is 0x"
                            + Long.toHexString(iova)
                            + ", but must be at the same place within a page as offset, "
                            + offset);
        }
        checkAccess(access);
    }

    private static IllegalArgumentException bad(MemorySegment memory, String why) {
        return new IllegalArgumentException(
                "memory (" + memory.byteSize() + " bytes) " + why + ", so it cannot be registered");
    }
}
