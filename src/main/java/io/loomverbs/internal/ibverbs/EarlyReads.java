package io.loomverbs.internal.ibverbs;

/**
 * Decides when a leader reads from the descriptor that was ready last, before it asks the epoll
 * set. If there is an event, that is one system call instead of two; if not, it is one too many.
 */
final class EarlyReads {
    /*
     * A read that finds nothing doubles the number of waits until the next try; a read that finds
     * something makes the next wait read, too. So a descriptor whose events are never there in
     * advance costs one read in LONGEST waits.
     *
     * After MOST such reads in a row the leader asks the set, since other descriptors may be ready,
     * or another thread may have woken the leader.
     */
    static final int MOST = 16;

    static final int SHORTEST = 4;
    static final int LONGEST = 1024;

    private long id;
    private int inRow;
    private int interval = SHORTEST;
    private int left = SHORTEST;

    /** The number of the descriptor to read before the set is asked, or 0. */
    long next() {
        if (id == 0 || --left >= 0) {
            return 0;
        }
        if (inRow == MOST) {
            inRow = 0;
            left = 0;
            return 0;
        }
        return id;
    }

    /** Records that the descriptor was read, and whether there was an event. */
    void done(boolean found) {
        if (found) {
            inRow++;
            interval = SHORTEST;
            left = 0;
        } else {
            inRow = 0;
            interval = Math.min(LONGEST, 2 * interval);
            left = interval;
        }
    }

    /** The set has reported this descriptor. */
    void reported(long ready) {
        id = ready;
    }
}
