package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.RecvWr;

import org.jspecify.annotations.Nullable;

/** A receive request in the queue: a copy of what was posted, in memory that is used again. */
final class RecvSlot {
    long wrId;
    int numSge;
    long[] sges = Sges.NONE;

    /** The largest message that fits, in bytes. */
    long capacity;

    /** Of a list of a {@link SoftSrq}. Under its lock. */
    @Nullable RecvSlot next;

    void fill(RecvWr wr) {
        wrId = wr.wrId();
        int n = wr.numSge();
        numSge = n;
        sges = Sges.ensure(sges, n);
        long total = 0;
        for (int i = 0; i < n; i++) {
            int bytes = wr.sgeLength(i);
            Sges.put(sges, i, wr.sgeAddr(i), bytes, wr.sgeLkey(i));
            total += bytes & 0xffff_ffffL;
        }
        capacity = total;
    }
}
