package io.loomverbs.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** {@code struct ibv_sge}, 16 bytes: one entry of a scatter/gather list. */
public final class Sge {
    public static final int BYTES = 16;
    private static final int ADDR = 0;
    private static final int LENGTH = 8;
    private static final int LKEY = 12;

    private Sge() {}

    public static void put(
            MemorySegment mem, long list, int index, long addr, int length, int lkey) {
        long at = list + (long) index * BYTES;
        mem.set(JAVA_LONG, at + ADDR, addr);
        mem.set(JAVA_INT, at + LENGTH, length);
        mem.set(JAVA_INT, at + LKEY, lkey);
    }

    static long addr(MemorySegment mem, long list, int index) {
        return mem.get(JAVA_LONG, list + (long) index * BYTES + ADDR);
    }

    static int length(MemorySegment mem, long list, int index) {
        return mem.get(JAVA_INT, list + (long) index * BYTES + LENGTH);
    }

    static int lkey(MemorySegment mem, long list, int index) {
        return mem.get(JAVA_INT, list + (long) index * BYTES + LKEY);
    }
}
