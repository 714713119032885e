package io.loomverbs;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What {@link GroupBenchmark} measures, in one process and in turns, so that both groups meet the
 * same disturbances: the median of one wait in a group of 10 and of 10,000 CQs, and their ratio,
 * for each of some rounds.
 *
 * <p>Run: {@code java -cp ... io.loomverbs.GroupCost [ROUNDS]}
 */
public final class GroupCost {
    private static final int WARM_UP = 20_000;
    private static final int WAITS = 20_000;
    private static final int TURN = 100;
    private static final int ROUNDS = 5;

    private GroupCost() {}

    /** Prints a line for each round. */
    public static void main(String[] args) throws InterruptedException {
        int rounds = args.length == 0 ? ROUNDS : Integer.parseInt(args[0]);
        GroupBenchmark few = new GroupBenchmark(10);
        GroupBenchmark many = new GroupBenchmark(10_000);
        few.join();
        many.join();
        try {
            measure(few, many, WARM_UP);
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                double[] medians = measure(few, many, WAITS);
                ratios.add(medians[1] / medians[0]);
                System.out.printf(
                        Locale.ROOT,
                        "10 CQs: %,.0f ns; 10,000 CQs: %,.0f ns; ratio %.2f%n",
                        medians[0],
                        medians[1],
                        ratios.getLast());
            }
            ratios.sort(null);
            System.out.printf(
                    Locale.ROOT,
                    "median ratio %.2f (%.2f-%.2f), bar 1.5%n",
                    ratios.get(ratios.size() / 2),
                    ratios.getFirst(),
                    ratios.getLast());
        } finally {
            few.leave();
            many.leave();
        }
    }

    private static double[] measure(GroupBenchmark few, GroupBenchmark many, int waits)
            throws InterruptedException {
        long[] ofFew = new long[waits];
        long[] ofMany = new long[waits];
        for (int at = 0; at < waits; at += TURN) {
            turn(few, ofFew, at);
            turn(many, ofMany, at);
        }
        Arrays.sort(ofFew);
        Arrays.sort(ofMany);
        return new double[] {ofFew[waits / 2], ofMany[waits / 2]};
    }

    private static void turn(GroupBenchmark group, long[] nanos, int from)
            throws InterruptedException {
        for (int i = from; i < from + TURN; i++) {
            long start = System.nanoTime();
            group.oneReady();
            nanos[i] = System.nanoTime() - start;
        }
    }
}
