package io.loomverbs.tools.storm;

import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;

import org.HdrHistogram.Histogram;

/**
 * What a handler needs while it works: a batch, two work requests, histograms. Handlers borrow one
 * from {@link ScratchPool} when they wake, so that thousands that wait own none.
 */
final class StormScratch {
    private static final int BATCH = 32;
    static final long LONGEST_NANOS = 60_000_000_000L;
    private static final int DIGITS = 2;

    final WorkCompletions batch = WorkCompletions.allocate(BATCH);
    final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
    final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
    final Histogram startNanos = newHistogram();
    final Histogram queueingNanos = newHistogram();

    static Histogram newHistogram() {
        return new Histogram(LONGEST_NANOS, DIGITS);
    }

    /**
     * @param steady whether every CQ has been served before
     */
    void woken(long nanos, boolean steady) {
        (steady ? queueingNanos : startNanos).recordValue(Math.clamp(nanos, 1, LONGEST_NANOS));
    }
}
