package io.loomverbs.bench;

import org.HdrHistogram.Histogram;

import java.util.Arrays;

/** What one round gave: some values, or a distribution of very many. */
final class Samples {
    private static final int DIGITS = 3;

    private final double[] values;
    private final Histogram distribution;

    private Samples(double[] values, Histogram distribution) {
        this.values = values;
        this.distribution = distribution;
    }

    static Samples of(double[] values) {
        return new Samples(values, null);
    }

    /** An empty distribution, to be filled. */
    static Samples distribution() {
        return new Samples(new double[0], new Histogram(DIGITS));
    }

    void add(long value, long count) {
        distribution.recordValueWithCount(value, count);
    }

    boolean isDistribution() {
        return distribution != null;
    }

    double mean() {
        return isDistribution()
                ? distribution.getMean()
                : Arrays.stream(values).average().orElse(Double.NaN);
    }

    double least() {
        return isDistribution()
                ? distribution.getMinValue()
                : Arrays.stream(values).min().orElse(Double.NaN);
    }

    double percentile(double percentile) {
        return distribution.getValueAtPercentile(percentile);
    }
}
