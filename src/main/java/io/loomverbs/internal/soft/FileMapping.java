package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * Memory that a file is mapped to. If the file was shortened, an access throws an {@link
 * InternalError}, at once or at a later point of the thread.
 */
final class FileMapping {
    /** Pages are this large, or a multiple. */
    private static final int PAGE = 4096;

    private FileMapping() {}

    /** Makes a pending error of an earlier access be thrown here, at the latest. */
    static void settle(MemorySegment memory) {
        if (memory.isMapped()) {
            // A call of native code, whose return throws what is pending.
            boolean ignored = memory.asSlice(0, 1).isLoaded();
        }
    }

    /** Whether every page of a range can be read. */
    static boolean isReadable(MemorySegment memory, long at, long bytes) {
        if (!memory.isMapped()) {
            return true;
        }
        try {
            byte[] read = new byte[1];
            for (long i = at; i < at + bytes; i += PAGE) {
                MemorySegment.copy(memory, JAVA_BYTE, i, read, 0, 1);
            }
            MemorySegment.copy(memory, JAVA_BYTE, at + bytes - 1, read, 0, 1);
            settle(memory);
            return true;
        } catch (InternalError shortened) {
            return false;
        }
    }
}
