package io.loomverbs.internal.soft;

import io.loomverbs.internal.event.CallGate;

import java.lang.foreign.MemorySegment;

/** Memory that a key denotes: a region, or the part of one to which a window is bound. */
class KeyedMemory {
    final MemorySegment memory;
    final int access;
    private final long base;
    private final long length;

    /** Copies that are under way are inside. */
    final CallGate gate = new CallGate();

    /**
     * @param base the address of the first byte
     */
    KeyedMemory(MemorySegment memory, long base, int access) {
        this.memory = memory;
        this.access = access;
        this.base = base;
        this.length = memory.byteSize();
    }

    /** Whether these bytes may be accessed as {@code wanted} says; 0 is a local read. */
    final boolean grants(int wanted, long addr, long bytes) {
        long offset = addr - base;
        return (access & wanted) == wanted && offset >= 0 && offset <= length - bytes;
    }

    final long offset(long addr) {
        return addr - base;
    }

    /** Enters a copy; must be followed by {@link #release} if true. */
    final boolean acquire() {
        return gate.tryEnter();
    }

    final void release() {
        gate.leave();
    }
}
