package io.loomverbs;

import io.loomverbs.support.BusyPairs;
import io.loomverbs.support.HeldCq;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * What else runs while handlers keep all carriers busy: how late timed waits, sleeps and unparked
 * threads are, and how evenly CQs are served. See docs/performance.md.
 *
 * <p>Arguments: how many pairs of CQs send messages back and forth; for how many seconds; how their
 * handlers wait: {@code serve}, {@code await} or {@code event}. With {@code bare} there are no CQs:
 * virtual threads unpark each other in pairs, which shows what the JDK's scheduler does.
 */
public final class FairnessLoad {
    private static final long SECOND = 1_000_000_000;
    private static final long WARM_NANOS = 3 * SECOND;
    private static final Duration TEN_MILLIS = Duration.ofMillis(10);
    private static final Duration FIFTY_MILLIS = Duration.ofMillis(50);
    private static final int CARRIERS = 64;

    private final int ends;
    private final int seconds;
    private final long[] served;
    private final long[] last;
    private final long[] gap;

    /** By carrier and second: which were served. Each is written by its carrier only. */
    private final BitSet[][] distinct;

    private final List<Lateness> lateness = new ArrayList<>();
    private volatile long started;
    private volatile boolean over;

    private FairnessLoad(int pairs, int seconds) {
        this.ends = 2 * pairs;
        this.seconds = seconds;
        served = new long[ends * 8];
        last = new long[ends];
        gap = new long[ends];
        distinct = new BitSet[CARRIERS][seconds + 2];
    }

    /** How late something was, again and again, after the first seconds. */
    private static final class Lateness {
        private final String what;
        private final long due;
        private long[] nanos = new long[1024];
        private int count;

        Lateness(String what, long due) {
            this.what = what;
            this.due = due;
        }

        void add(long tookNanos) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = tookNanos - due;
        }

        double mostMillis() {
            return Arrays.stream(nanos, 0, count).max().orElse(0) / 1e6;
        }

        @Override
        public String toString() {
            if (count == 0) {
                return "%-20s never".formatted(what);
            }
            long[] sorted = Arrays.copyOf(nanos, count);
            Arrays.sort(sorted);
            return String.format(
                    Locale.ROOT,
                    "%-20s late by p50 %.2f, p99 %.2f, at most %.2f ms, %d tries",
                    what,
                    sorted[count / 2] / 1e6,
                    sorted[(int) (count * 0.99)] / 1e6,
                    sorted[count - 1] / 1e6,
                    count);
        }
    }

    @FunctionalInterface
    private interface Try {
        /** Returns when it began: now, unless it waits for something that others begin. */
        long once() throws InterruptedException;
    }

    /** Runs, prints, and exits. */
    public static void main(String[] args) throws Exception {
        FairnessLoad load = new FairnessLoad(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
        load.run(args[2].toUpperCase(Locale.ROOT));
        System.exit(0);
    }

    private void run(String how) throws Exception {
        Context context = Verbs.device("soft0").open(); // as long as the JVM
        Runnable start = how.equals("BARE") ? bare() : messages(context, how);
        CompletionQueue silent = context.createDirectCq(1);
        CompletionQueue held = HeldCq.create(context);
        started = System.nanoTime();
        start.run();
        again(
                Thread.ofVirtual(),
                "getCqEvent(10 ms)",
                TEN_MILLIS,
                now(() -> silent.getCqEvent(TEN_MILLIS)));
        again(
                Thread.ofVirtual(),
                "Thread.sleep(10)",
                TEN_MILLIS,
                now(() -> Thread.sleep(TEN_MILLIS)));
        again(
                Thread.ofVirtual(),
                "close(50 ms)",
                FIFTY_MILLIS,
                now(() -> HeldCq.timeOut(held, FIFTY_MILLIS)));
        unparks();
        again(
                Thread.ofPlatform().daemon(),
                "a platform thread",
                Duration.ofMillis(1),
                now(() -> Thread.sleep(1)));
        Thread.sleep(WARM_NANOS / 1_000_000);
        long[] before = counts();
        long cpuBefore = cpuNanos();
        long from = System.nanoTime();
        Thread.sleep(Math.max(1, seconds * 1000L - WARM_NANOS / 1_000_000));
        long[] after = counts();
        long cpu = cpuNanos() - cpuBefore;
        long end = System.nanoTime();
        over = true;
        print(how, before, after, end - from, cpu, end);
    }

    @FunctionalInterface
    private interface Wait {
        void once() throws InterruptedException;
    }

    private static Try now(Wait wait) {
        return () -> {
            long start = System.nanoTime();
            wait.once();
            return start;
        };
    }

    private Runnable messages(Context context, String how) {
        BusyPairs pairs =
                new BusyPairs(context, ends / 2, BusyPairs.Wait.valueOf(how), this::received);
        return pairs::start;
    }

    /** Pairs of virtual threads that unpark each other, and no CQs. */
    private Runnable bare() {
        Thread[] threads = new Thread[ends];
        AtomicIntegerArray turn = new AtomicIntegerArray(ends);
        IntConsumer body =
                i -> {
                    for (; ; ) {
                        while (turn.get(i) == 0) {
                            LockSupport.park();
                        }
                        turn.set(i, 0);
                        received(i);
                        turn.set(i ^ 1, 1);
                        LockSupport.unpark(threads[i ^ 1]);
                    }
                };
        for (int i = 0; i < ends; i++) {
            int me = i;
            threads[i] = Thread.ofVirtual().unstarted(() -> body.accept(me));
        }
        return () -> {
            for (int i = 0; i < ends; i += 2) {
                turn.set(i, 1);
            }
            for (Thread thread : threads) {
                thread.start();
            }
        };
    }

    private void received(int end) {
        served[end * 8]++;
        long now = System.nanoTime();
        long since = now - started;
        if (since > WARM_NANOS) {
            gap[end] = Math.max(gap[end], now - Math.max(last[end], started + WARM_NANOS));
        }
        last[end] = now;
        if ((served[end * 8] & 7) == 1) {
            mark(end, (int) (since / SECOND));
        }
    }

    /** Of the name of a virtual thread only its end is looked at: the number of its carrier. */
    private void mark(int end, int second) {
        String name = Thread.currentThread().toString();
        int digit = name.charAt(name.length() - 1) - '0';
        if (digit >= 0 && digit < 10 && second <= seconds) {
            BitSet[] mine = distinct[digit];
            if (mine[second] == null) {
                mine[second] = new BitSet(ends);
            }
            mine[second].set(end);
        }
    }

    private void again(Thread.Builder builder, String what, Duration due, Try one) {
        Lateness late = new Lateness(what, due.toNanos());
        lateness.add(late);
        builder.start(
                () -> {
                    try {
                        while (!over) {
                            long start = one.once();
                            long end = System.nanoTime();
                            if (start - started > WARM_NANOS && !over) {
                                late.add(end - start);
                            }
                        }
                    } catch (InterruptedException e) {
                        throw new AssertionError("no thread interrupts it", e);
                    }
                });
    }

    /** A platform thread unparks a virtual one every ten milliseconds. */
    private void unparks() {
        AtomicLong unparked = new AtomicLong();
        AtomicReference<Thread> sleeper = new AtomicReference<>();
        again(
                Thread.ofVirtual(),
                "unpark",
                Duration.ZERO,
                () -> {
                    sleeper.set(Thread.currentThread());
                    while (unparked.get() == 0) {
                        LockSupport.park();
                    }
                    return unparked.getAndSet(0);
                });
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            while (!over) {
                                LockSupport.parkNanos(TEN_MILLIS.toNanos());
                                unparked.compareAndSet(0, System.nanoTime());
                                LockSupport.unpark(sleeper.get());
                            }
                        });
    }

    private long[] counts() {
        long[] counts = new long[ends];
        for (int i = 0; i < ends; i++) {
            counts[i] = served[i * 8];
        }
        return counts;
    }

    private static long cpuNanos() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    }

    private void print(String how, long[] before, long[] after, long nanos, long cpu, long end) {
        long all = 0;
        long longest = 0;
        long[] each = new long[ends];
        for (int i = 0; i < ends; i++) {
            each[i] = after[i] - before[i];
            all += each[i];
            longest = Math.max(longest, gap[i]);
            longest = Math.max(longest, end - Math.max(last[i], started + WARM_NANOS));
        }
        Arrays.sort(each);
        System.out.printf(
                Locale.ROOT,
                "%s, %d pairs: %.3f million messages/s, %.3f million a CPU second%n",
                how.toLowerCase(Locale.ROOT),
                ends / 2,
                all * 1e3 / nanos,
                all * 1e3 / cpu);
        System.out.printf(
                Locale.ROOT,
                "services of a CQ after %d s: %d to %d, median %d; longest gap %.1f ms%n",
                WARM_NANOS / SECOND,
                each[0],
                each[ends - 1],
                each[ends / 2],
                longest / 1e6);
        double rounds = 10.0 * ends * nanos / all / 1e6;
        double stall = lateness.getLast().mostMillis(); // of the platform thread
        System.out.printf(
                Locale.ROOT,
                "ten services of each take %.1f ms; with the longest stall of a platform thread"
                        + " %.1f ms%n",
                rounds,
                rounds + stall);
        for (int i = 0; i < CARRIERS; i++) {
            StringBuilder line = new StringBuilder();
            for (int s = (int) (WARM_NANOS / SECOND); s < seconds; s++) {
                if (distinct[i][s] != null) {
                    line.append(' ').append(distinct[i][s].cardinality());
                }
            }
            if (!line.isEmpty()) {
                System.out.println("CQs a second of carrier " + i + ":" + line);
            }
        }
        lateness.forEach(System.out::println);
    }
}
