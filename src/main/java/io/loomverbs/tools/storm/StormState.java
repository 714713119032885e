package io.loomverbs.tools.storm;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What all parts of a storm share: the counts, the failures, and the word to stop. */
final class StormState {
    private final Tally tally;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final StormFailures failures = new StormFailures(stop);
    private final ScratchPool scratchPool;

    StormState(int cqs) {
        this(cqs, new ScratchPool());
    }

    /** With scratches that may be a test's. */
    StormState(int cqs, ScratchPool scratchPool) {
        this.tally = new Tally(cqs);
        this.scratchPool = scratchPool;
    }

    Tally tally() {
        return tally;
    }

    StormFailures failures() {
        return failures;
    }

    ScratchPool scratchPool() {
        return scratchPool;
    }

    void stop() {
        stop.countDown();
    }

    boolean stopping() {
        return stop.getCount() == 0;
    }

    /** Waits until a thread says stop; false if none has in time. */
    boolean awaitStop(long nanos) throws InterruptedException {
        return stop.await(nanos, TimeUnit.NANOSECONDS);
    }
}
