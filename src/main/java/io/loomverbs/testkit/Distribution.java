package io.loomverbs.testkit;

import java.time.Duration;
import java.util.function.DoubleToLongFunction;

/**
 * How long delays are, and how often. Immutable.
 *
 * @since 0.1.0
 */
public final class Distribution {
    private static final Duration LONGEST = Duration.ofDays(1);

    private final String text;

    /** The delay in nanoseconds below which this fraction of delays is. */
    private final DoubleToLongFunction quantile;

    private Distribution(String text, DoubleToLongFunction quantile) {
        this.text = text;
        this.quantile = quantile;
    }

    /**
     * Every delay is the same.
     *
     * @param delay up to a day
     * @return the distribution
     * @throws IllegalArgumentException if {@code delay} is negative, or longer than a day
     */
    public static Distribution fixed(Duration delay) {
        long nanos = nanos("delay", delay);
        return new Distribution("fixed(" + delay + ")", u -> nanos);
    }

    /**
     * Every delay between the two is equally likely.
     *
     * @param min the shortest
     * @param max the longest, up to a day
     * @return the distribution
     * @throws IllegalArgumentException if {@code min} is negative or longer than {@code max}, or
     *     {@code max} is longer than a day
     */
    public static Distribution uniform(Duration min, Duration max) {
        long from = nanos("min", min);
        long to = nanos("max", max);
        if (from > to) {
            throw new IllegalArgumentException("min is " + min + ", but max is only " + max);
        }
        return new Distribution(
                "uniform(" + min + ", " + max + ")", u -> from + (long) (u * (to - from + 1)));
    }

    /**
     * Most delays are short and few are long, as between random events: the exponential
     * distribution. A delay is at most 37 times the mean.
     *
     * @param mean the mean delay, up to a day
     * @return the distribution
     * @throws IllegalArgumentException if {@code mean} is negative, or longer than a day
     */
    public static Distribution exponential(Duration mean) {
        long nanos = nanos("mean", mean);
        return new Distribution("exponential(" + mean + ")", u -> (long) (-Math.log1p(-u) * nanos));
    }

    /**
     * This distribution, but only a part of all requests is delayed at all.
     *
     * @param probability of a delay, 0 to 1
     * @return the distribution
     * @throws IllegalArgumentException if {@code probability} is not from 0 to 1
     */
    public Distribution sometimes(double probability) {
        double p = Faults.probability(probability);
        DoubleToLongFunction always = quantile;
        return new Distribution(
                text + ".sometimes(" + p + ")", u -> u < p ? always.applyAsLong(u / p) : 0);
    }

    DoubleToLongFunction quantile() {
        return quantile;
    }

    private static long nanos(String name, Duration value) {
        Faults.notNull(value, name);
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", but must be 0 to " + LONGEST.toHours() + " hours");
        }
        return value.toNanos();
    }

    /** The distribution's arguments. */
    @Override
    public String toString() {
        return text;
    }
}
