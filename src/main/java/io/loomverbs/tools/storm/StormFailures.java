package io.loomverbs.tools.storm;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** What went wrong that no count expresses: the first few, and how many there were. */
final class StormFailures {
    private static final int KEPT = 8;

    private final List<Failure> first = new CopyOnWriteArrayList<>();
    private final AtomicInteger count = new AtomicInteger();
    private final CountDownLatch stop;

    /** What was being done, and the cause. */
    record Failure(String doing, Throwable cause) {
        @Override
        public String toString() {
            return doing + ": " + cause;
        }
    }

    /** The latch is opened by the first failure. */
    StormFailures(CountDownLatch stop) {
        this.stop = stop;
    }

    void add(String doing, Throwable cause) {
        if (count.incrementAndGet() <= KEPT) {
            first.add(new Failure(doing, cause));
        }
        stop.countDown();
    }

    int count() {
        return count.get();
    }

    List<Failure> first() {
        return List.copyOf(first);
    }
}
