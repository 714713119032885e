package io.loomverbs.tools.soak;

import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One round of a soak, after which nothing of it may be left. Any thread. */
public final class Round {
    /** How long an expected event may take, under full load. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int FRAMES = 12;

    private final Context context;
    private final ProtectionDomain pd;
    private final int number;
    private final Duration duration;
    private final SoakCounts counts;
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    Round(Context context, ProtectionDomain pd, int number, Duration duration, SoakCounts counts) {
        this.context = context;
        this.pd = pd;
        this.number = number;
        this.duration = duration;
        this.counts = counts;
    }

    /**
     * The context that lasts as long as the soak.
     *
     * @return the context
     */
    public Context context() {
        return context;
    }

    ProtectionDomain pd() {
        return pd;
    }

    /** From 0. */
    int number() {
        return number;
    }

    /** How long it is to take. */
    Duration duration() {
        return duration;
    }

    SoakCounts counts() {
        return counts;
    }

    /**
     * Whether its time is over, or something has failed.
     *
     * @return true if everything must end
     */
    public boolean isOver() {
        return over.getCount() == 0;
    }

    /** Waits for the end; true if it has come within that time. */
    boolean awaitEnd(Duration most) throws InterruptedException {
        return over.await(most.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Waits for the end. */
    void awaitEnd() throws InterruptedException {
        over.await();
    }

    void end() {
        over.countDown();
    }

    /** Records a failure, which ends the round and the soak. */
    void fail(String what) {
        failures.add(what);
        end();
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    /** Starts a thread that belongs to the round; what it throws is a failure. */
    Thread start(Thread.Builder kind, String name, Callable<?> body) {
        Thread thread =
                kind.name("soak-" + name)
                        .unstarted(
                                () -> {
                                    try {
                                        body.call();
                                    } catch (Exception | Error e) {
                                        fail(name + ": " + e + at(e.getStackTrace()));
                                    }
                                });
        threads.add(thread);
        thread.start();
        return thread;
    }

    /** Waits for all its threads; one that does not end in time is a failure. */
    void join(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        List<Thread> joined = new ArrayList<>();
        while (joined.size() < threads.size()) { // a thread may start others
            for (Thread thread : threads) {
                if (joined.contains(thread)) {
                    continue;
                }
                long left = Math.max(1, deadline - System.nanoTime());
                if (!thread.join(Duration.ofNanos(left))) {
                    fail(thread.getName() + " does not end:" + at(thread.getStackTrace()));
                }
                joined.add(thread);
            }
        }
    }

    private static String at(StackTraceElement[] trace) {
        return Arrays.stream(trace)
                .limit(FRAMES)
                .map(frame -> System.lineSeparator() + "    at " + frame)
                .collect(Collectors.joining());
    }
}
