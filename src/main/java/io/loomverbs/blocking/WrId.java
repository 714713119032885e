package io.loomverbs.blocking;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How a work request is numbered: one bit that says that this package has posted it, one that says
 * that it is a receive, 22 bits for the index of its queue pair, 40 for its place in the queue. The
 * place of a receive is its slot, in 24 bits, and its lap, which tells one use of the slot from the
 * next.
 *
 * <p>A completion may come late: a device may leave those of a queue pair in the CQ when it is
 * reset, and a leader that ends with an Error may leave them in its batch. So numbers of places
 * start elsewhere for each attachment, and a late completion names no place that is in use.
 */
final class WrId {
    private static final long OURS = 1L << 63;
    private static final long RECEIVE = 1L << 62;
    private static final int PLACE_BITS = 40;
    private static final long PLACE = (1L << PLACE_BITS) - 1;
    private static final int SLOT_BITS = 24;
    private static final int MOST_LAPS = 0xffff;
    private static final AtomicInteger ATTACHMENTS = new AtomicInteger();

    private WrId() {}

    /** Where the places of another attachment start: a multiple of the size of any queue. */
    static long start() {
        return (long) (ATTACHMENTS.incrementAndGet() & 0xff) << (PLACE_BITS - 8);
    }

    static long send(int index, long position) {
        return OURS | ((long) index << PLACE_BITS) | (position & PLACE);
    }

    static long receive(int index, int slot, int lap) {
        return OURS | RECEIVE | ((long) index << PLACE_BITS) | ((long) lap << SLOT_BITS) | slot;
    }

    /** The lap in which the slots of an attachment are posted first. */
    static int firstLap(long start) {
        return (int) (start >>> SLOT_BITS) + 1;
    }

    /** The lap after that one; never 0. */
    static int nextLap(int lap) {
        return lap % MOST_LAPS + 1;
    }

    static boolean isOurs(long wrId) {
        return wrId < 0;
    }

    static boolean isReceive(long wrId) {
        return (wrId & RECEIVE) != 0;
    }

    static int index(long wrId) {
        return (int) ((wrId & ~(OURS | RECEIVE)) >>> PLACE_BITS);
    }

    static int slot(long wrId) {
        return (int) wrId & (1 << SLOT_BITS) - 1;
    }

    static int lap(long wrId) {
        return (int) (wrId >>> SLOT_BITS) & MOST_LAPS;
    }

    /** The position with these low bits that is not before {@code from}. */
    static long position(long wrId, long from) {
        return from + ((wrId - from) & PLACE);
    }
}
