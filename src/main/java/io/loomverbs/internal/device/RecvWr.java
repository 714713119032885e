package io.loomverbs.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct ibv_recv_wr} (32 bytes) and its scatter list in one piece of heap memory, as in
 * {@link SendWr}. Not safe for use by several threads at once.
 */
public final class RecvWr {
    private static final int BYTES = 32;
    private static final int WR_ID = 0;
    private static final int NEXT = 8;
    private static final int SG_LIST = 16;
    private static final int NUM_SGE = 24;

    private final MemorySegment mem;
    private final int maxSge;

    private @Nullable RecvWr next;

    public RecvWr(int maxSge) {
        this.maxSge = maxSge;
        this.mem = MemorySegment.ofArray(new long[(BYTES + maxSge * Sge.BYTES) >>> 3]);
    }

    /** Forgets everything but the capacity. */
    public void clear() {
        mem.set(JAVA_LONG, WR_ID, 0);
        mem.set(JAVA_INT, NUM_SGE, 0);
        next = null;
    }

    public MemorySegment memory() {
        return mem;
    }

    public int maxSge() {
        return maxSge;
    }

    public long wrId() {
        return mem.get(JAVA_LONG, WR_ID);
    }

    public void wrId(long wrId) {
        mem.set(JAVA_LONG, WR_ID, wrId);
    }

    public int numSge() {
        return mem.get(JAVA_INT, NUM_SGE);
    }

    public void numSge(int numSge) {
        mem.set(JAVA_INT, NUM_SGE, numSge);
    }

    public void sge(int index, long addr, int length, int lkey) {
        Sge.put(mem, BYTES, index, addr, length, lkey);
    }

    public long sgeAddr(int index) {
        return Sge.addr(mem, BYTES, index);
    }

    public int sgeLength(int index) {
        return Sge.length(mem, BYTES, index);
    }

    public int sgeLkey(int index) {
        return Sge.lkey(mem, BYTES, index);
    }

    public @Nullable RecvWr next() {
        return next;
    }

    public void next(@Nullable RecvWr next) {
        this.next = next;
    }

    /** As {@link SendWr#nativeBytes}. */
    public long nativeBytes() {
        return BYTES + (long) numSge() * Sge.BYTES;
    }

    /** As {@link SendWr#copyTo}. */
    public void copyTo(MemorySegment to, long at, long next) {
        MemorySegment.copy(mem, 0, to, at, nativeBytes());
        to.set(JAVA_LONG, at + NEXT, next);
        to.set(JAVA_LONG, at + SG_LIST, to.address() + at + BYTES);
    }
}
