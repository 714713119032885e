package io.loomverbs.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Raw results as JMH writes them, read. A round is a fork. */
final class Results {
    private final List<Measurement> measurements = new ArrayList<>();
    private String jvm = "";

    private Results() {}

    /** Of several files; what was measured in more than one has the rounds of all. */
    static Results read(List<Path> files) throws IOException {
        Results results = new Results();
        for (Path file : files) {
            results.read(file);
        }
        return results;
    }

    private void read(Path file) throws IOException {
        try (Reader reader = Files.newBufferedReader(file)) {
            for (JsonElement element : JsonParser.parseReader(reader).getAsJsonArray()) {
                add(element.getAsJsonObject());
            }
        } catch (JsonParseException
                | IllegalStateException
                | NullPointerException
                | UnsupportedOperationException e) {
            throw new IllegalArgumentException(file + " does not hold raw results of JMH", e);
        }
    }

    List<Measurement> all() {
        return measurements;
    }

    List<Measurement> of(Predicate<Measurement> which) {
        return measurements.stream().filter(which).toList();
    }

    /** Java's name and version. */
    String jvm() {
        return jvm;
    }

    private void add(JsonObject json) {
        jvm = json.get("vmName").getAsString() + " " + json.get("vmVersion").getAsString();
        JsonObject primary = json.getAsJsonObject("primaryMetric");
        Map<String, String> params = new TreeMap<>();
        if (json.has("params")) {
            json.getAsJsonObject("params")
                    .entrySet()
                    .forEach(e -> params.put(e.getKey(), e.getValue().getAsString()));
        }
        Map<String, List<Double>> others = new TreeMap<>();
        json.getAsJsonObject("secondaryMetrics")
                .entrySet()
                .forEach(
                        e ->
                                others.put(
                                        e.getKey().replace("·", ""),
                                        settled(
                                                e.getKey().endsWith(Measurement.ALLOCATED),
                                                e.getValue().getAsJsonObject())));
        String name = json.get("benchmark").getAsString();
        String simple = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
        Measurement measurement =
                new Measurement(
                        simple,
                        json.get("threads").getAsInt(),
                        params,
                        primary.get("scoreUnit").getAsString(),
                        json.get("mode").getAsString().equals("thrpt"),
                        rounds(primary),
                        others);
        for (int i = 0; i < measurements.size(); i++) {
            if (measurements.get(i).key().equals(measurement.key())) {
                measurements.set(i, measurements.get(i).and(measurement));
                return;
            }
        }
        measurements.add(measurement);
    }

    private static List<Samples> rounds(JsonObject metric) {
        List<Samples> rounds = new ArrayList<>();
        if (metric.has("rawDataHistogram")) {
            for (JsonElement round : metric.getAsJsonArray("rawDataHistogram")) {
                Samples samples = Samples.distribution();
                for (JsonElement iteration : round.getAsJsonArray()) {
                    for (JsonElement bucket : iteration.getAsJsonArray()) {
                        JsonArray valueAndCount = bucket.getAsJsonArray();
                        samples.add(
                                Math.round(valueAndCount.get(0).getAsDouble()),
                                valueAndCount.get(1).getAsLong());
                    }
                }
                rounds.add(samples);
            }
        } else {
            for (JsonElement round : metric.getAsJsonArray("rawData")) {
                rounds.add(
                        Samples.of(
                                round.getAsJsonArray().asList().stream()
                                        .mapToDouble(Results::number)
                                        .toArray()));
            }
        }
        return rounds;
    }

    /**
     * One figure a round. Of what was allocated the least of the iterations: the first ones
     * allocate what the compiler spares the later ones.
     */
    private static List<Double> settled(boolean least, JsonObject metric) {
        return rounds(metric).stream().map(least ? Samples::least : Samples::mean).toList();
    }

    /** JMH writes "NaN" as a string. */
    private static double number(JsonElement element) {
        return Double.parseDouble(element.getAsString());
    }
}
