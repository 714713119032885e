package io.loomverbs.tools.storm;

/**
 * Which messages of one direction have been received: their number, and a bit for each of the last
 * 64, so that a duplicate message can be distinguished from a late one. Under the lock of the
 * receiving endpoint.
 */
final class SequenceWindow {
    /** More than this must never be under way in one direction. */
    static final int BITS = Long.SIZE;

    /** What a sequence number turned out to be. */
    enum Verdict {
        IN_ORDER,
        OUT_OF_ORDER,
        DUPLICATE
    }

    /** Sequence numbers count from 1. */
    private long highest;

    private long seen;
    private long count;

    Verdict accept(long sequence) {
        long ahead = sequence - highest;
        if (ahead > 0) {
            seen = ahead >= BITS ? 1 : seen << ahead | 1;
            highest = sequence;
            count++;
            return ahead == 1 ? Verdict.IN_ORDER : Verdict.OUT_OF_ORDER;
        }
        if (-ahead >= BITS || (seen >>> -ahead & 1) != 0) {
            return Verdict.DUPLICATE;
        }
        seen |= 1L << -ahead;
        count++;
        return Verdict.OUT_OF_ORDER;
    }

    /** How many different messages have come. */
    long count() {
        return count;
    }
}
