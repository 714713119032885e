package io.loomverbs.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * A figure over several rounds.
 *
 * @param median of the rounds
 * @param least of the rounds
 * @param most of the rounds
 */
record Figure(double median, double least, double most) {
    static Figure of(double[] rounds) {
        double[] sorted = rounds.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double median =
                sorted.length == 0
                        ? Double.NaN
                        : sorted.length % 2 == 1
                                ? sorted[half]
                                : (sorted[half - 1] + sorted[half]) / 2;
        return new Figure(
                median,
                sorted.length == 0 ? Double.NaN : sorted[0],
                sorted.length == 0 ? Double.NaN : sorted[sorted.length - 1]);
    }

    Figure times(double factor) {
        return new Figure(median * factor, least * factor, most * factor);
    }

    /** Three significant digits, with thousands apart. */
    static String digits(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        double size = Math.abs(value);
        return size >= 100
                ? String.format(Locale.ROOT, "%,.0f", value)
                : size >= 10
                        ? String.format(Locale.ROOT, "%.1f", value)
                        : size >= 0.005 || size == 0
                                ? String.format(Locale.ROOT, "%.2f", value)
                                : String.format(Locale.ROOT, "%.1g", value);
    }
}
