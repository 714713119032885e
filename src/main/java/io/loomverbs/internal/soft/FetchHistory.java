package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.Arrays;

/**
 * The READs and atomics that a responder answered last, as many as its {@code max_dest_rd_atomic}:
 * IBA 9.7.5.1.2. A request with the number of one of them counts as a repetition, and gets the same
 * answer; a repetition of anything older is dropped. Used under the lock of the {@link RecvQueue}.
 */
final class FetchHistory {
    static final int NOT_KEPT = -1;

    private static final int FIRST_ENTRIES = 4;

    /** Longs of an entry: numbers; address of a READ or result of an atomic; key and length. */
    private static final int WORDS = 3;

    private static final int PACKETS_SHIFT = 24;
    private static final int OPCODE_SHIFT = 48;
    private static final long LENGTH_MASK = 0xffff_ffffL;
    private static final long[] NONE = {};

    private long[] entries = NONE;
    private int capacity;
    private int count;
    private int next;

    /** Forgets everything, and keeps {@code entries} requests from now on. */
    void reset(int entries) {
        this.entries = NONE;
        capacity = entries;
        count = 0;
        next = 0;
    }

    /** Keeps a request that was answered, instead of the oldest one. */
    void add(SendSlot wr, int psn, int packets) {
        int at = next * WORDS;
        if (at == entries.length) {
            int grown = Math.min(capacity, Math.max(FIRST_ENTRIES, 2 * count));
            entries = Arrays.copyOf(entries, grown * WORDS);
        }
        boolean atomic = wr.isAtomic();
        entries[at] = psn | (long) packets << PACKETS_SHIFT | (long) wr.opcode << OPCODE_SHIFT;
        entries[at + 1] = atomic ? wr.scratch.get(JAVA_LONG, 0) : wr.remoteAddr();
        entries[at + 2] = (long) wr.rkey() << Integer.SIZE | wr.length;
        count = Math.max(count, next + 1);
        next = next + 1 == capacity ? 0 : next + 1;
    }

    /**
     * The entry of which this request is a repetition, or {@link #NOT_KEPT}: an atomic of its kind
     * with its number, or a READ that has its number among its packets, and reads nothing else.
     */
    int find(SendSlot wr, int psn) {
        for (int i = 0; i < count; i++) {
            long numbers = entries[i * WORDS];
            int behind = Psn.ahead(psn, (int) numbers & Psn.MASK);
            int packets = (int) (numbers >>> PACKETS_SHIFT) & Psn.MASK;
            if (behind >= 0
                    && behind < packets
                    && numbers >>> OPCODE_SHIFT == wr.opcode
                    && (wr.isAtomic() || isPartOf(wr, i))) {
                return i;
            }
        }
        return NOT_KEPT;
    }

    private boolean isPartOf(SendSlot wr, int entry) {
        long keyAndLength = entries[entry * WORDS + 2];
        long offset = wr.remoteAddr() - entries[entry * WORDS + 1];
        return wr.rkey() == (int) (keyAndLength >>> Integer.SIZE)
                && offset >= 0
                && offset + wr.length <= (keyAndLength & LENGTH_MASK);
    }

    /** The result of an atomic. */
    long result(int entry) {
        return entries[entry * WORDS + 1];
    }
}
