package io.loomverbs.schedule;

import java.time.Duration;
import java.util.SplittableRandom;

/** What a {@link Scenario} is given: threads, chance, time. */
final class Schedule {
    private final SeededScheduler scheduler;
    private final SplittableRandom random;

    Schedule(SeededScheduler scheduler, long seed) {
        this.scheduler = scheduler;
        this.random = new SplittableRandom(~seed);
    }

    /** What a thread does. */
    @FunctionalInterface
    interface Body {
        void run() throws Exception;
    }

    /** A number from {@code min} to {@code max}; may be asked for by a running thread too. */
    int between(int min, int max) {
        return random.nextInt(min, max + 1);
    }

    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    /** A timeout: short enough to end many times before any thread looks by itself. */
    Duration timeout() {
        return Duration.ofMillis(between(1, 20));
    }

    /** Adds a thread, which runs when the schedule does; or at once, if it is running already. */
    Thread thread(String name, Body body) {
        Thread thread =
                scheduler
                        .builder()
                        .name(name)
                        .unstarted(
                                () -> {
                                    try {
                                        body.run();
                                    } catch (Exception | AssertionError e) {
                                        scheduler.failures.add(e);
                                    }
                                });
        scheduler.adopt(thread).start();
        return thread;
    }

    /** Runs all threads to their end. */
    void run() {
        try {
            scheduler.run();
        } catch (AssertionError stuck) {
            // Often the consequence of what some thread ended with: that comes first.
            scheduler.failures.add(stuck);
        }
        if (!scheduler.failures.isEmpty()) {
            AssertionError failed = new AssertionError("the schedule failed");
            scheduler.failures.forEach(failed::addSuppressed);
            throw failed;
        }
    }

    /** A chance for the others, in a scenario's own code. */
    void pause() {
        SchedulePoint.point();
    }

    long nanoTime() {
        return SchedulePoint.nanoTime();
    }

    static void check(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}
