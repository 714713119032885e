package io.loomverbs.walk;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Which steps of a seed are taken, and the fewest that still fail. */
final class Steps {
    /** Plays some of a seed's steps; answers what went wrong, or null. */
    interface Player {
        @Nullable String play(int[] steps) throws InterruptedException;
    }

    private static final Duration LONGEST = Duration.ofSeconds(60);

    private Steps() {}

    static int[] first(int n) {
        return IntStream.range(0, n).toArray();
    }

    /** {@code 3,7,9}; or all first {@code n} if nothing was asked for. */
    static int[] asked(int n) {
        String asked = System.getProperty("walk.steps");
        return asked == null
                ? first(n)
                : Arrays.stream(asked.split(",")).mapToInt(Integer::parseInt).toArray();
    }

    /**
     * Leaves out what is not needed for a failure: halves, then smaller parts, then single ones.
     */
    static int[] fewest(int[] failing, Player player) throws InterruptedException {
        int[] steps = failing;
        long start = System.nanoTime();
        for (int part = Math.max(1, steps.length / 2); part >= 1; part /= 2) {
            for (int from = 0; from < steps.length && !isOver(start); ) {
                int[] fewer = without(steps, from, Math.min(steps.length, from + part));
                if (fewer.length > 0 && player.play(fewer) != null) {
                    steps = fewer;
                } else {
                    from += part;
                }
            }
        }
        return steps;
    }

    /** A failure that is a wait in vain takes long each time. */
    private static boolean isOver(long start) {
        return System.nanoTime() - start > LONGEST.toNanos();
    }

    private static int[] without(int[] steps, int from, int to) {
        return IntStream.range(0, steps.length)
                .filter(i -> i < from || i >= to)
                .map(i -> steps[i])
                .toArray();
    }

    static String text(int[] steps) {
        return Arrays.stream(steps).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }
}
