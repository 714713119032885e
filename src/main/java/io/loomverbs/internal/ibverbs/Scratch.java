package io.loomverbs.internal.ibverbs;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for the time of a call, for copies of heap objects that libibverbs reads or writes.
 * All threads share a few pieces, so that requests and batches own no native memory.
 */
final class Scratch {
    private static final int PIECES = 16;

    /** Keeps pieces on separate cache lines. */
    private static final int SPACING = 16;

    private static final int FIRST_BYTES = 1024;

    /** A larger piece is not kept. */
    private static final int MOST_BYTES = 1 << 16;

    private static final AtomicReferenceArray<@Nullable Scratch> SPARE =
            new AtomicReferenceArray<>(PIECES * SPACING);

    private MemorySegment memory = allocate(FIRST_BYTES);

    private Scratch() {}

    private static MemorySegment allocate(long bytes) {
        return Arena.ofAuto().allocate(bytes, Long.BYTES);
    }

    private static int place() {
        return place(Thread.currentThread().threadId());
    }

    /** Threads are numbered beyond the range of an int. */
    static int place(long threadId) {
        return (int) (threadId % PIECES) * SPACING;
    }

    /** A piece for the caller alone, until {@link #give}. */
    static Scratch take() {
        return take(place());
    }

    static Scratch take(int place) {
        Scratch scratch = SPARE.getAndSet(place, null);
        return scratch != null ? scratch : new Scratch();
    }

    /** At least this many bytes, with arbitrary contents. */
    MemorySegment ofAtLeast(long bytes) {
        if (memory.byteSize() < bytes) {
            memory = allocate(2 * bytes);
        }
        return memory;
    }

    void give() {
        give(place());
    }

    void give(int place) {
        if (memory.byteSize() <= MOST_BYTES) {
            SPARE.setRelease(place, this);
        }
    }
}
