package io.loomverbs.tools.storm;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What all parts of a storm share: the counts, the failures, and the word to stop. */
final class Books {
    private final Tally tally;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Failures failures = new Failures(stop);
    private final Benches benches;

    Books(int cqs) {
        this(cqs, new Benches());
    }

    /** With benches that may be a test's. */
    Books(int cqs, Benches benches) {
        this.tally = new Tally(cqs);
        this.benches = benches;
    }

    Tally tally() {
        return tally;
    }

    Failures failures() {
        return failures;
    }

    Benches benches() {
        return benches;
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
