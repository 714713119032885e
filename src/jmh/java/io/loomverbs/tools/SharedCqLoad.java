package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.FailurePolicy;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Connections whose both ends are here, a message of 64 bytes going back and forth on each, with
 * {@code serve} on one CQ for all ends, one for each side, or a CQ for each end.
 */
public final class SharedCqLoad {
    private static final int BYTES = 64;
    private static final int DEPTH = 16;
    private static final int STRIDE = 16;
    private static final String DEVICE = System.getProperty("loomverbs.device", "soft0");

    private final int cqs;
    private final WaitStrategy strategy;
    private final List<CompletionQueue> queues = new ArrayList<>();
    private final List<End> ends = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    /** Of each handler: how many messages, and how many batches. */
    private final long[] counts;

    private volatile boolean stopping;

    /**
     * @param cqs how many CQs all ends share: end {@code i} completes on CQ {@code i % cqs}
     */
    SharedCqLoad(int cqs, WaitStrategy strategy) {
        this.cqs = cqs;
        this.strategy = strategy;
        this.counts = new long[(cqs + 1) * STRIDE];
    }

    private static final class End {
        private final MemoryRegion memory;
        private final long at;
        private final QueuePair qp;
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

        End(ProtectionDomain pd, CompletionQueue cq, MemoryRegion memory, int index) {
            this.memory = memory;
            at = index * 2L * BYTES;
            qp = pd.createQp(QpConfig.of(QpType.RC, cq).withQpContext(this));
        }

        void receive() {
            qp.postRecv(recv.clear().sge(memory, at, BYTES));
        }

        void post() {
            qp.postSend(send.clear().send().sge(memory, at + BYTES, BYTES).signaled());
        }
    }

    private void handle(int index, WorkCompletions batch) {
        int received = 0;
        for (int i = 0; i < batch.size() && !stopping; i++) {
            if (!batch.isSuccess(i)) {
                throw new IllegalStateException(batch.get(i).toString());
            }
            if (batch.opcode(i) == WcOpcode.RECV) {
                received++;
                End end = (End) batch.qp(i).qpContext();
                end.receive();
                end.post();
            }
        }
        counts[(index + 1) * STRIDE] += received;
        counts[(index + 1) * STRIDE + 1]++;
    }

    /** Answers messages and batches a second. */
    double[] run(String device, int connections, double seconds) throws InterruptedException {
        int all = 2 * connections;
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(all * 2L * BYTES, Access.LOCAL_WRITE)) {
            for (int i = 0; i < cqs; i++) {
                int cqe = 2 * DEPTH * ((all + cqs - 1) / cqs);
                queues.add(context.createDirectCq(cqe, strategy));
            }
            for (int i = 0; i < all; i++) {
                ends.add(new End(pd, queues.get(i % cqs), memory, i));
            }
            for (int i = 0; i < all; i++) {
                ends.get(i).qp.connect(ends.get(i ^ 1).qp.endpoint());
                ends.get(i).receive();
            }
            List<Serving> handlers = new ArrayList<>();
            for (int i = 0; i < cqs; i++) {
                int index = i;
                ThreadFactory threads =
                        Thread.ofVirtual()
                                .uncaughtExceptionHandler((t, e) -> failure.compareAndSet(null, e))
                                .factory();
                handlers.add(
                        Serving.of(
                                        queues.get(i),
                                        batch -> handle(index, batch),
                                        FailurePolicy.REPORT)
                                .start(threads));
            }
            for (int i = 0; i < all; i += 2) {
                ends.get(i).post();
            }
            Thread.sleep(Duration.ofSeconds(1));
            long messages = sum(0);
            long batches = sum(1);
            long start = System.nanoTime();
            Thread.sleep(Duration.ofNanos((long) (seconds * 1e9)));
            double took = (System.nanoTime() - start) / 1e9;
            double[] perSecond = {(sum(0) - messages) / took, (sum(1) - batches) / took};
            stopping = true;
            handlers.forEach(Serving::close);
            ends.forEach(end -> end.qp.close());
            queues.forEach(cq -> cq.close(Duration.ofSeconds(10)));
            if (failure.get() != null) {
                throw new IllegalStateException(failure.get());
            }
            return perSecond;
        }
    }

    private long sum(int which) {
        long sum = 0;
        for (int i = 0; i < cqs; i++) {
            sum += counts[(i + 1) * STRIDE + which];
        }
        return sum;
    }

    /**
     * Measures all layouts in turns, and prints medians, and medians of the ratios of rounds.
     *
     * @param args how many rounds, connections, and seconds for each; then numbers of CQs, or all
     *     three layouts if there are none
     */
    public static void main(String[] args) throws InterruptedException {
        int rounds = Integer.parseInt(args[0]);
        int connections = Integer.parseInt(args[1]);
        double seconds = Double.parseDouble(args[2]);
        int[] layouts =
                args.length > 3
                        ? Arrays.stream(args).skip(3).mapToInt(Integer::parseInt).toArray()
                        : new int[] {1, 2, 2 * connections};
        Map<String, List<Double>> seen = new LinkedHashMap<>();
        for (int round = -1; round < rounds; round++) {
            for (int cqs : layouts) {
                for (WaitStrategy how : List.of(WaitStrategy.ADAPTIVE, WaitStrategy.EVENTS)) {
                    double perSecond =
                            new SharedCqLoad(cqs, how).run(DEVICE, connections, seconds)[0];
                    if (round >= 0) {
                        String name = cqs + (cqs == 1 ? " CQ, " : " CQs, ") + how;
                        seen.computeIfAbsent(name, n -> new ArrayList<>()).add(perSecond);
                    }
                }
            }
        }
        List<Double> base = seen.values().iterator().next();
        seen.forEach(
                (name, values) -> {
                    double[] ratios = new double[rounds];
                    Arrays.setAll(ratios, i -> values.get(i) / base.get(i));
                    Arrays.sort(ratios);
                    System.out.printf(
                            Locale.ROOT,
                            "%-22s %,11.0f messages/s, %.2f of the first (%.2f to %.2f)%n",
                            name,
                            values.stream().sorted().toList().get(rounds / 2),
                            ratios[rounds / 2],
                            ratios[0],
                            ratios[rounds - 1]);
                });
    }
}
