package io.loomverbs.internal.device;

import java.lang.foreign.MemorySegment;

/** Native memory of one region, given back when its owner says so. */
public interface RegionMemory {
    /** The memory, which any thread may access. */
    MemorySegment segment();

    /**
     * Gives the memory back, now. From here on an access through the segment, or a part of it,
     * reads zeros or throws; it never reaches memory that something else uses. To be called once,
     * by any thread.
     *
     * @param gone run when the segment's arena is closed, which may be later
     */
    void free(Runnable gone);
}
