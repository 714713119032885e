package io.loomverbs.tools.storm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Destroys and re-creates randomly chosen links, at a given rate, while messages flow. */
final class Churn {
    /**
     * How many CQs a thread can be asked to renew in a second. It parks and yields some times for
     * each, and with ten thousand handlers that are ready to run, each time it waits for its turn
     * among them, which takes ten milliseconds and more.
     */
    private static final int PER_THREAD = 8;

    private static final int MIN_THREADS = 4;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final List<Link> links;
    private final StormState state;
    private final int perSecond;
    private final int threadCount;
    private final long pauseNanos;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean begun;

    Churn(List<Link> links, StormPlan plan, StormState state) {
        this.links = links;
        this.state = state;
        int cqsOfLink = 2;
        this.perSecond = plan.churnPerSecond();
        this.threadCount = perSecond == 0 ? 0 : Math.max(MIN_THREADS, perSecond / PER_THREAD);
        this.pauseNanos = NANOS_PER_SECOND * threadCount * cqsOfLink / Math.max(1, perSecond);
    }

    /**
     * Starts the threads, which wait for {@link #begin}; before the load, see {@link EndpointSlot}.
     */
    void start() {
        for (int i = 0; i < threadCount; i++) {
            threads.add(Thread.ofVirtual().name("churn-" + i).start(this::run));
        }
    }

    private void run() {
        try {
            while (!begun) {
                LockSupport.park(this);
            }
            long next = System.nanoTime();
            while (!state.stopping()) {
                long early = next - System.nanoTime();
                if (early > 0) {
                    Thread.sleep(Duration.ofNanos(early));
                } else {
                    next += pauseNanos;
                    links.get(ThreadLocalRandom.current().nextInt(links.size())).renew();
                }
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            state.failures().add("churn", e);
        }
    }

    /**
     * On a virtual thread. Wakes all of them: of those that wait for a latch each wakes the next,
     * and under full load waits for its turn before.
     */
    void begin() {
        begun = true;
        threads.forEach(LockSupport::unpark);
    }

    void join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
