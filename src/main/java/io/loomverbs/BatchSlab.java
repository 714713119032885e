package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.WcStruct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Cuts the batches of handlers from larger pieces of memory. A separate piece, with its own arena,
 * costs an idle handler about 130 bytes of heap more than a slice does.
 */
final class BatchSlab {
    static final int CAPACITY = 32;
    private static final int BATCHES = 64;
    private static final long BATCH_BYTES = (long) CAPACITY * WcStruct.BYTES;
    private static final BatchSlab SHARED = new BatchSlab();

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private @Nullable MemorySegment slab;

    @GuardedBy("lock")
    private int used;

    private BatchSlab() {}

    static WorkCompletions allocate() {
        return WorkCompletions.in(SHARED.next());
    }

    private MemorySegment next() {
        lock.lock();
        try {
            MemorySegment from = slab;
            if (from == null || used == BATCHES) {
                from = Arena.ofAuto().allocate(BATCHES * BATCH_BYTES, Long.BYTES);
                slab = from;
                used = 0;
            }
            return from.asSlice(used++ * BATCH_BYTES, BATCH_BYTES);
        } finally {
            lock.unlock();
        }
    }
}
