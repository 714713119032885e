package io.loomverbs;

import com.sun.management.OperatingSystemMXBean;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * What each {@link WaitStrategy} costs: the time of a round trip, and processor time. All ways are
 * measured in turns; figures are medians, and ratios medians of the ratios of single rounds.
 *
 * <pre>
 *   latency ROUNDS ITERS         a ping-pong of two handlers; beside it two platform threads that only poll
 *   idle HANDLERS SECONDS        processor time of handlers of `serve` to which nothing comes
 *   load ROUNDS CQS RATE SECONDS processor time of handlers to which RATE messages a second come each
 * </pre>
 */
public final class WaitCost {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final String DEVICE = System.getProperty("loomverbs.device", "soft0");
    private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();
    private static final ThreadFactory PLATFORM = Thread.ofPlatform().factory();

    private final Map<String, List<Double>> seen = new LinkedHashMap<>();

    private WaitCost() {}

    /**
     * Measures and prints.
     *
     * @param args see above
     * @throws Exception whatever fails
     */
    public static void main(String[] args) throws Exception {
        WaitCost cost = new WaitCost();
        int[] n = Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray();
        switch (args[0]) {
            case "latency" -> cost.latency(n[0], n[1]);
            case "idle" -> cost.idle(n[0], n[1]);
            case "load" -> cost.load(n[0], n[1], n[2], n[3]);
            default -> throw new IllegalArgumentException("cannot measure " + args[0]);
        }
    }

    private void add(String name, double value) {
        seen.computeIfAbsent(name, k -> new ArrayList<>()).add(value);
    }

    private void print(String unit, String base) {
        List<Double> bases = seen.get(base);
        seen.forEach(
                (name, values) -> {
                    double[] ratios = new double[values.size()];
                    Arrays.setAll(ratios, i -> values.get(i) / bases.get(i));
                    Arrays.sort(ratios);
                    double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
                    System.out.printf(
                            Locale.ROOT,
                            "%-28s %10.3f %s (%.3f to %.3f), %.2f of %s (%.2f to %.2f)%n",
                            name,
                            sorted[sorted.length / 2],
                            unit,
                            sorted[0],
                            sorted[sorted.length - 1],
                            ratios[ratios.length / 2],
                            base,
                            ratios[0],
                            ratios[ratios.length - 1]);
                });
    }

    // --- latency

    private void latency(int rounds, int iters) throws Exception {
        for (int i = -2; i < rounds; i++) {
            if (i == 0) {
                seen.clear();
            }
            if (Runtime.getRuntime().availableProcessors() > 1) {
                roundTrip("platform threads that poll", iters, null);
            }
            for (WaitStrategy strategy : WaitStrategy.values()) {
                roundTrip(strategy.toString(), iters, strategy);
            }
        }
        String base = seen.keySet().iterator().next();
        print("us a round trip", base);
    }

    private void roundTrip(String name, int iters, WaitStrategy strategy) throws Exception {
        try (Context context = Verbs.device(DEVICE).open();
                ProtectionDomain pd = context.allocPd();
                WaitPair pair =
                        new WaitPair(
                                pd,
                                strategy == null ? WaitStrategy.POLLING : strategy,
                                WaitPair.FEW)) {
            double nanos =
                    strategy == null
                            ? pair.roundTrip(iters, PLATFORM, WaitCost::spin)
                            : pair.roundTrip(iters, VIRTUAL, CompletionQueue::await);
            add(name, nanos / 1e3);
        }
    }

    private static int spin(CompletionQueue cq, WorkCompletions batch) {
        for (; ; ) {
            int n = cq.poll(batch);
            if (n > 0) {
                return n;
            }
            Thread.onSpinWait();
        }
    }

    // --- processor time

    private void idle(int handlers, int seconds) throws Exception {
        for (WaitStrategy strategy : List.of(WaitStrategy.EVENTS, WaitStrategy.ADAPTIVE)) {
            try (Load load = new Load(handlers, strategy)) {
                // Until each of them has had messages that came soon, and is polling for more.
                for (int i = 0; i < 100; i++) {
                    load.sendAll();
                }
                load.awaitAll();
                double seen = cpuSeconds();
                long start = System.nanoTime();
                LockSupport.parkNanos(seconds * 1_000_000_000L);
                double took = (System.nanoTime() - start) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "%s: %d idle handlers take %.3f %% of a core in %.1f s%n",
                        strategy,
                        handlers,
                        100 * (cpuSeconds() - seen) / took,
                        took);
            }
        }
    }

    private void load(int rounds, int cqs, int rate, int seconds) throws Exception {
        for (int i = -1; i < rounds; i++) {
            if (i == 0) {
                seen.clear();
            }
            for (WaitStrategy strategy : List.of(WaitStrategy.EVENTS, WaitStrategy.ADAPTIVE)) {
                try (Load load = new Load(cqs, strategy)) {
                    add(strategy.toString(), load.percentOfCore(rate, seconds));
                }
            }
        }
        print("% of a core", WaitStrategy.EVENTS.toString());
    }

    private static double cpuSeconds() {
        return SYSTEM.getProcessCpuTime() / 1e9;
    }

    /** Handlers of {@code serve}, and a thread that sends them messages. */
    private static final class Load implements AutoCloseable {
        private static final int STEPS = 1000;

        private final Context context = Verbs.device(DEVICE).open();
        private final ProtectionDomain pd = context.allocPd();
        private final List<WaitPair> pairs = new ArrayList<>();
        private final LongAdder received = new LongAdder();
        private long sent;

        Load(int handlers, WaitStrategy strategy) {
            for (int i = 0; i < handlers; i++) {
                WaitPair pair = new WaitPair(pd, strategy, WaitPair.MANY);
                pairs.add(pair);
                pair.pong.cq.serve(batch -> receive(pair, batch));
            }
        }

        private void receive(WaitPair pair, WorkCompletions batch) {
            for (int i = 0; i < batch.size(); i++) {
                WaitPair.requireSuccess(batch, i);
                pair.pong.postRecv();
            }
            received.add(batch.size());
        }

        private void send(WaitPair pair, WorkCompletions batch) {
            pair.ping.cq.poll(batch);
            pair.ping.post();
            sent++;
        }

        void sendAll() {
            WorkCompletions batch = WorkCompletions.allocate(4);
            pairs.forEach(pair -> send(pair, batch));
        }

        void awaitAll() {
            long start = System.nanoTime();
            while (received.sum() < sent) {
                if (System.nanoTime() - start > 30_000_000_000L) {
                    throw new IllegalStateException(received.sum() + " of " + sent + " arrived");
                }
                LockSupport.parkNanos(100_000);
            }
        }

        /** Sends to some of the handlers every millisecond. */
        double percentOfCore(int rate, int seconds) {
            WorkCompletions batch = WorkCompletions.allocate(4);
            long start = System.nanoTime();
            double cpu = 0;
            long due = 0;
            int next = 0;
            for (int step = 0; step < (seconds + 1) * STEPS; step++) {
                if (step == STEPS) { // the first second warms up
                    cpu = cpuSeconds();
                }
                due += (long) pairs.size() * rate;
                for (; sent < due / STEPS; next = (next + 1) % pairs.size()) {
                    send(pairs.get(next), batch);
                }
                long left = start + (step + 1) * (1_000_000_000L / STEPS) - System.nanoTime();
                if (left > 0) {
                    LockSupport.parkNanos(left);
                }
            }
            double took = (System.nanoTime() - start) / 1e9 - 1;
            double percent = 100 * (cpuSeconds() - cpu) / took;
            awaitAll();
            return percent;
        }

        @Override
        public void close() {
            pairs.forEach(WaitPair::close);
            pd.close();
            context.close();
        }
    }
}
