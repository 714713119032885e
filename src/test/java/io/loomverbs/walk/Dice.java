package io.loomverbs.walk;

import java.util.List;
import java.util.SplittableRandom;

/**
 * The random choices of one step. Each step has its own, made from the seed and the step's number,
 * so that a step decides the same way when others are left out.
 */
final class Dice {
    private final SplittableRandom random;

    Dice(long seed, int step) {
        random =
                new SplittableRandom(seed * 0x9e37_79b9_7f4a_7c15L + step * 0x2545_f491_4f6c_dd1dL);
        random.nextLong();
    }

    /** From 0 to {@code bound - 1}. */
    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    long any() {
        return random.nextLong();
    }

    @SafeVarargs
    final <T> T of(T... values) {
        return values[random.nextInt(values.length)];
    }

    int of(int[] values) {
        return values[random.nextInt(values.length)];
    }

    <T> T of(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }
}
