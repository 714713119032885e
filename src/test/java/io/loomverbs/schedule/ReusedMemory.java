package io.loomverbs.schedule;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What stands in for automatic arenas: the same memory for each schedule. An automatic arena enters
 * itself in a list of the JDK whose monitor the cleaner's thread takes too.
 */
final class ReusedMemory implements Arena {
    private static final long BYTES = 1 << 20;

    private final MemorySegment memory = Arena.global().allocate(BYTES, 64);
    private long used;

    /** Whatever was allocated belongs to a schedule that is over. */
    void forgetAll() {
        used = 0;
    }

    @Override
    public MemorySegment allocate(long bytes, long alignment) {
        long from = (used + alignment - 1) & -alignment;
        used = from + bytes;
        return memory.asSlice(from, bytes).fill((byte) 0);
    }

    @Override
    public MemorySegment.Scope scope() {
        return memory.scope();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
