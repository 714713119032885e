package io.loomverbs.internal.soft;

/**
 * A scatter/gather list in an array: two longs an entry, the address, and the length over the key.
 */
final class Sges {
    static final int WORDS = 2;
    static final long[] NONE = {};

    private Sges() {}

    /** An array for {@code entries} of them: {@code list} itself if it is long enough. */
    static long[] ensure(long[] list, int entries) {
        return list.length >= entries * WORDS ? list : new long[entries * WORDS];
    }

    static void put(long[] list, int index, long addr, int length, int key) {
        list[index * WORDS] = addr;
        list[index * WORDS + 1] = (long) length << 32 | (key & 0xffff_ffffL);
    }

    static long addr(long[] list, int index) {
        return list[index * WORDS];
    }

    /** Unsigned, as in verbs. */
    static long length(long[] list, int index) {
        return list[index * WORDS + 1] >>> 32;
    }

    static int key(long[] list, int index) {
        return (int) list[index * WORDS + 1];
    }
}
