package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.event.HelperThreads;

import java.lang.foreign.MemorySegment;

/** What memory can be registered. */
final class MrArguments {
    private static final int REMOTE_CHANGES = Ibv.ACCESS_REMOTE_WRITE | Ibv.ACCESS_REMOTE_ATOMIC;

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

    private static IllegalArgumentException bad(MemorySegment memory, String why) {
        return new IllegalArgumentException(
                "memory (" + memory.byteSize() + " bytes) " + why + ", so it cannot be registered");
    }
}
