package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.WcStruct;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The completions of a CQ, four longs each: wr_id; byte_len and immediate; qp_num and src_qp; sl,
 * slid, flags, opcode and status. Starts small and doubles when full. Used under the lock of its
 * CQ, except {@link #size()}.
 */
final class CqRing {
    private static final int WORDS = 4;
    private static final int FIRST_ENTRIES = 8;
    private static final VarHandle SIZE;

    static {
        try {
            SIZE = MethodHandles.lookup().findVarHandle(CqRing.class, "size", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** A power of two entries. */
    private long[] words = new long[FIRST_ENTRIES * WORDS];

    /** Index of the oldest word. */
    private int head;

    /** Entries held. Written with release, so that a poller may look at it without the lock. */
    private int size;

    int size() {
        return (int) SIZE.getAcquire(this);
    }

    /** Makes room for one more. If there is no memory for it, nothing has changed. */
    void makeRoom() {
        if (size * WORDS == words.length) {
            grow();
        }
    }

    /** After {@link #makeRoom}. */
    void add(SoftWc wc) {
        long[] w = words;
        int at = head + size * WORDS & w.length - 1;
        w[at] = wc.wrId;
        w[at + 1] = pair(wc.byteLen, wc.immData);
        w[at + 2] = pair(wc.qpNum, wc.srcQp);
        w[at + 3] = pair(wc.sl << 16 | wc.slid, wc.wcFlags << 16 | wc.opcode << 8 | wc.status);
        SIZE.setRelease(this, size + 1);
    }

    /** Moves at most {@code max} completions, the oldest first; returns how many. */
    int take(MemorySegment wcs, long at, int max) {
        long[] w = words;
        int n = Math.min(max, size);
        for (int i = 0; i < n; i++) {
            int from = head + i * WORDS & w.length - 1;
            long rest = w[from + 3];
            WcStruct.put(
                    wcs,
                    at + (long) i * WcStruct.BYTES,
                    w[from],
                    (int) rest & 0xff,
                    (int) rest >>> 8 & 0xff,
                    (int) (w[from + 1] >>> 32),
                    (int) w[from + 1],
                    (int) (w[from + 2] >>> 32),
                    (int) w[from + 2],
                    (int) rest >>> 16 & 0xff,
                    (int) (rest >>> 32) & 0xffff,
                    (int) (rest >>> 48));
        }
        head = head + n * WORDS & w.length - 1;
        SIZE.setRelease(this, size - n);
        return n;
    }

    /** Drops the oldest completion if it is of this queue pair, else makes it the newest: true. */
    boolean dropOrRotate(int qpNum) {
        long[] w = words;
        int from = head;
        int to = head + size * WORDS & w.length - 1;
        boolean keep = (int) (w[from + 2] >>> 32) != qpNum;
        if (keep) {
            System.arraycopy(w, from, w, to, WORDS);
        } else {
            SIZE.setRelease(this, size - 1);
        }
        head = from + WORDS & w.length - 1;
        return keep;
    }

    private void grow() {
        long[] longer = new long[2 * words.length];
        System.arraycopy(words, head, longer, 0, words.length - head);
        System.arraycopy(words, 0, longer, words.length - head, head);
        words = longer;
        head = 0;
    }

    private static long pair(int high, int low) {
        return (long) high << 32 | (low & 0xffff_ffffL);
    }
}
