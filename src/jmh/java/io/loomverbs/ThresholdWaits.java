package io.loomverbs;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Exchanger;

/**
 * A virtual thread that waits for 64 completions at once, beside one that is woken for each, in
 * turns: how many events woke it, and how long after the post of the last one it has all of them.
 * Arguments: rounds (7), groups of 64 in a round (300), microseconds between two posts (20).
 */
public final class ThresholdWaits {
    private static final int MANY = 64;

    private final Context context = Verbs.device("soft0").open();
    private final ProtectionDomain pd = context.allocPd();
    private final MemoryRegion memory = pd.allocateMr(64, Access.LOCAL_WRITE, Access.REMOTE_WRITE);
    private final CompletionQueue cq = context.createDirectCq(4 * MANY);
    private final QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4 * MANY, 1));
    private final SendWorkRequest write = SendWorkRequest.allocate(1, 0);
    private final Exchanger<Long> turn = new Exchanger<>();
    private final int groups;
    private final long gapNanos;

    private ThresholdWaits(int groups, long gapNanos) {
        this.groups = groups;
        this.gapNanos = gapNanos;
        qp.connect(qp.endpoint(), QpAttributes.builder().access(Access.REMOTE_WRITE).build());
        write.rdmaWrite(memory.address(), memory.rkey()).sge(memory, 0, 8).signaled();
    }

    /** Prints a line for each round. */
    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 7;
        ThresholdWaits run =
                new ThresholdWaits(
                        args.length > 1 ? Integer.parseInt(args[1]) : 300,
                        1000 * (args.length > 2 ? Long.parseLong(args[2]) : 20));
        double[] fewer = new double[rounds];
        double[] later = new double[rounds];
        run.measure(1);
        run.measure(MANY);
        for (int i = 0; i < rounds; i++) {
            double[] each = run.measure(1);
            double[] once = run.measure(MANY);
            fewer[i] = each[0] / once[0];
            later[i] = once[1] / each[1];
            System.out.printf(
                    Locale.ROOT,
                    "each: %.2f events a group, the last after %.1f us; 64: %.2f, %.1f us;"
                            + " %.1f times fewer, %.2f times as late%n",
                    each[0],
                    each[1] / 1e3,
                    once[0],
                    once[1] / 1e3,
                    fewer[i],
                    later[i]);
        }
        Arrays.sort(fewer);
        Arrays.sort(later);
        System.out.printf(
                Locale.ROOT,
                "median: %.1f times fewer (bar 5), %.2f times as late (%.2f to %.2f; bar 1)%n",
                fewer[rounds / 2],
                later[rounds / 2],
                later[0],
                later[rounds - 1]);
        run.close();
    }

    /** Events a group, and the median of the nanoseconds from the last post to the end. */
    private double[] measure(int min) throws InterruptedException {
        long before = cq.ops().events();
        Thread waiter = Thread.ofVirtual().start(() -> receive(min));
        long[] nanos = new long[groups];
        for (int g = 0; g < groups; g++) {
            turn.exchange(0L);
            for (int i = 0; i < MANY; i++) {
                long next = System.nanoTime() + gapNanos;
                while (System.nanoTime() < next) {
                    Thread.onSpinWait();
                }
                nanos[g] = System.nanoTime();
                qp.postSend(write);
            }
            nanos[g] = turn.exchange(0L) - nanos[g];
        }
        waiter.join();
        Arrays.sort(nanos);
        double events = cq.ops().events() - before;
        return new double[] {events / groups, nanos[groups / 2]};
    }

    private void receive(int min) {
        WorkCompletions batch = WorkCompletions.allocate(MANY);
        try {
            for (int g = 0; g < groups; g++) {
                turn.exchange(0L);
                int n = 0;
                while (n < MANY) {
                    n += cq.await(batch, min);
                }
                turn.exchange(System.nanoTime());
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void close() {
        qp.close();
        cq.close();
        memory.close();
        pd.close();
        context.close();
    }
}
