package io.loomverbs.blocking;

import com.sun.management.ThreadMXBean;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;

/**
 * What {@link ReadBenchmark} measures, in one process and in turns, so that both ways meet the same
 * disturbances: the median cost of a READ of 64 bytes on soft0, posted and polled by hand and as a
 * blocking call, their ratio, and what the calls allocate. Arguments: rounds (7), turns of 1,000
 * reads in a round (300).
 */
public final class ReadCost {
    private static final int READS = 1000;
    private static final int WARM_UP_ROUNDS = 3;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private ReadCost() {}

    /** Prints a line for each round. */
    public static void main(String[] args) throws InterruptedException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 7;
        int turns = args.length > 1 ? Integer.parseInt(args[1]) : 300;
        ReadBenchmark read = new ReadBenchmark();
        read.connect();
        double[] ratios = new double[rounds];
        for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
            long[] byHand = new long[turns];
            long[] blocking = new long[turns];
            long allocated = 0;
            for (int i = 0; i < turns; i++) {
                byHand[i] = byHand(read);
                long before = THREADS.getCurrentThreadAllocatedBytes();
                blocking[i] = blocking(read);
                allocated += THREADS.getCurrentThreadAllocatedBytes() - before;
            }
            Arrays.sort(byHand);
            Arrays.sort(blocking);
            double ratio = (double) blocking[turns / 2] / byHand[turns / 2];
            if (round >= 0) {
                ratios[round] = ratio;
                System.out.printf(
                        Locale.ROOT,
                        "by hand %.1f ns, blocking %.1f ns, ratio %.2f; %.3f bytes a call%n",
                        (double) byHand[turns / 2] / READS,
                        (double) blocking[turns / 2] / READS,
                        ratio,
                        (double) allocated / READS / turns);
            }
        }
        Arrays.sort(ratios);
        System.out.printf(
                Locale.ROOT,
                "median ratio %.2f (%.2f to %.2f), bar 1.5%n",
                ratios[rounds / 2],
                ratios[0],
                ratios[rounds - 1]);
        read.close();
    }

    private static long byHand(ReadBenchmark read) {
        long start = System.nanoTime();
        for (int i = 0; i < READS; i++) {
            read.byHand();
        }
        return System.nanoTime() - start;
    }

    private static long blocking(ReadBenchmark read) throws InterruptedException {
        long start = System.nanoTime();
        for (int i = 0; i < READS; i++) {
            read.blocking();
        }
        return System.nanoTime() - start;
    }
}
