package io.loomverbs.blocking;

/**
 * How a work request is numbered: one bit that says that this package has posted it, one that says
 * that it is a receive, 22 bits for the index of its queue pair, 40 for its place in the queue.
 */
final class WrId {
    private static final long OURS = 1L << 63;
    private static final long RECEIVE = 1L << 62;
    private static final int PLACE_BITS = 40;
    private static final long PLACE = (1L << PLACE_BITS) - 1;

    private WrId() {}

    static long send(int index, long position) {
        return OURS | ((long) index << PLACE_BITS) | (position & PLACE);
    }

    static long receive(int index, int slot) {
        return OURS | RECEIVE | ((long) index << PLACE_BITS) | slot;
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
        return (int) (wrId & PLACE);
    }

    /** The position with these low bits that is not before {@code from}. */
    static long position(long wrId, long from) {
        return from + ((wrId - from) & PLACE);
    }
}
