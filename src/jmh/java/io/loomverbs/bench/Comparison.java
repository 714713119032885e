package io.loomverbs.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What got slower since an earlier run, beyond the noise.
 *
 * <p>The noise is what differs between rounds, each of which has JVMs of its own. Something is
 * slower if its worst round then was better than its best round now, by more than the rounds of
 * either run differ among themselves, and the medians are more than 3 % apart. A run compares
 * dozens of figures, so the first of these alone would not do: with three rounds each and no real
 * change it is true of one in 20. All together are of one in 250 (five rounds: 40,000; simulated,
 * for normal and for lopsided noise). With fewer rounds nothing can be told, and nothing is. Of
 * distributions, p50 and p99 are compared.
 */
final class Comparison {
    static final int LEAST_ROUNDS = 3;
    private static final double TINY = 1.03;
    private static final double P99 = 99;

    /** Something that both runs have measured, by how much slower it is now, and the verdict. */
    record Change(
            String what,
            String unit,
            Figure then,
            Figure now,
            double slowdown,
            boolean slower,
            boolean faster) {}

    private final List<Change> changes = new ArrayList<>();
    private int tooFewRounds;
    private final int onlyThen;

    Comparison(Results then, Results now) {
        Map<String, Measurement> old = new LinkedHashMap<>();
        then.all().forEach(m -> old.put(m.key(), m));
        for (Measurement measurement : now.all()) {
            Measurement before = old.remove(measurement.key());
            if (before == null || !before.unit().equals(measurement.unit())) {
                continue;
            }
            if (Math.min(before.rounds().size(), measurement.rounds().size()) < LEAST_ROUNDS) {
                tooFewRounds++;
            }
            if (measurement.isDistribution() && before.isDistribution()) {
                add(measurement, "p50 of ", before.scores(), measurement.scores());
                add(measurement, "p99 of ", before.percentiles(P99), measurement.percentiles(P99));
            } else {
                add(measurement, "", before.scores(), measurement.scores());
            }
        }
        onlyThen = old.size();
    }

    private void add(Measurement of, String prefix, double[] then, double[] now) {
        Figure before = Figure.of(then);
        Figure after = Figure.of(now);
        double slowdown =
                of.higherIsBetter()
                        ? before.median() / after.median()
                        : after.median() / before.median();
        boolean enough = then.length >= LEAST_ROUNDS && now.length >= LEAST_ROUNDS;
        double noise = Math.max(max(then) - min(then), max(now) - min(now));
        boolean above = min(now) - max(then) > noise;
        boolean below = min(then) - max(now) > noise;
        boolean worse = of.higherIsBetter() ? below : above;
        boolean better = of.higherIsBetter() ? above : below;
        changes.add(
                new Change(
                        prefix + of.key(),
                        of.unit(),
                        before,
                        after,
                        slowdown,
                        enough && worse && slowdown > TINY,
                        enough && better && slowdown < 1 / TINY));
    }

    private static double min(double[] values) {
        return Arrays.stream(values).min().orElse(Double.NaN);
    }

    private static double max(double[] values) {
        return Arrays.stream(values).max().orElse(Double.NaN);
    }

    List<Change> changes() {
        return changes;
    }

    List<Change> slower() {
        return changes.stream()
                .filter(Change::slower)
                .sorted((a, b) -> Double.compare(b.slowdown, a.slowdown))
                .toList();
    }

    List<Change> faster() {
        return changes.stream()
                .filter(Change::faster)
                .sorted((a, b) -> Double.compare(a.slowdown, b.slowdown))
                .toList();
    }

    /** Measurements of too few rounds to judge. */
    int tooFewRounds() {
        return tooFewRounds;
    }

    /** Measurements of the earlier run that this one lacks. */
    int onlyThen() {
        return onlyThen;
    }
}
