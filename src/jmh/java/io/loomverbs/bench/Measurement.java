package io.loomverbs.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What JMH found out about one benchmark with one choice of parameters, in each round.
 *
 * @param benchmark simple class name, dot, method
 * @param rounds for each round what its iterations gave
 * @param others further figures by name: what the gc profiler and the benchmark itself counted
 */
record Measurement(
        String benchmark,
        int threads,
        Map<String, String> params,
        String unit,
        boolean higherIsBetter,
        List<Samples> rounds,
        Map<String, List<Double>> others) {

    static final double MEDIAN = 50;

    /** What was allocated an operation, in the words of JMH. */
    static final String ALLOCATED = "gc.alloc.rate.norm";

    /** With the rounds of another run of the same. */
    Measurement and(Measurement later) {
        List<Samples> all = new ArrayList<>(rounds);
        all.addAll(later.rounds);
        Map<String, List<Double>> allOthers = new TreeMap<>(others);
        later.others.forEach(
                (name, values) ->
                        allOthers.merge(
                                name,
                                values,
                                (a, b) -> {
                                    List<Double> both = new ArrayList<>(a);
                                    both.addAll(b);
                                    return both;
                                }));
        return new Measurement(benchmark, threads, params, unit, higherIsBetter, all, allOthers);
    }

    String param(String name) {
        return params.getOrDefault(name, "");
    }

    String method() {
        return benchmark.substring(benchmark.indexOf('.') + 1);
    }

    boolean isDistribution() {
        return rounds.get(0).isDistribution();
    }

    /** One figure a round: the mean, or for distributions the median. */
    double[] scores() {
        return rounds.stream()
                .mapToDouble(r -> r.isDistribution() ? r.percentile(MEDIAN) : r.mean())
                .toArray();
    }

    double[] percentiles(double percentile) {
        return rounds.stream().mapToDouble(r -> r.percentile(percentile)).toArray();
    }

    double[] other(String name) {
        return others.getOrDefault(name, List.of()).stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
    }

    /** Names it among all others of any run. */
    String key() {
        String with =
                params.entrySet().stream()
                        .map(e -> e.getKey() + "=" + e.getValue())
                        .collect(Collectors.joining(", "));
        return benchmark
                + (with.isEmpty() ? "" : " (" + with + ")")
                + (threads == 1 ? "" : ", " + threads + " threads");
    }
}
