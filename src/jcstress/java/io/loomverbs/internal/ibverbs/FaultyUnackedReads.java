package io.loomverbs.internal.ibverbs;

/** {@link UnackedReads}, whose reader looks first and counts then. */
final class FaultyUnackedReads {
    private volatile long reads;

    boolean add() {
        long r = reads;
        if (r < 0) {
            return false;
        }
        reads = r + 1;
        return true;
    }

    long close() {
        long r = reads;
        reads = Long.MIN_VALUE;
        return r;
    }
}
