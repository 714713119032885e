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

    static Results read(Path file) throws IOException {
        Results results = new Results();
        try (Reader reader = Files.newBufferedReader(file)) {
            for (JsonElement element : JsonParser.parseReader(reader).getAsJsonArray()) {
                results.add(element.getAsJsonObject());
            }
        } catch (JsonParseException
                | IllegalStateException
                | NullPointerException
                | UnsupportedOperationException e) {
            throw new IllegalArgumentException(file + " does not hold raw results of JMH", e);
        }
        return results;
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
                                        means(e.getValue().getAsJsonObject())));
        String name = json.get("benchmark").getAsString();
        String simple = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
        measurements.add(
                new Measurement(
                        simple,
                        json.get("threads").getAsInt(),
                        params,
                        primary.get("scoreUnit").getAsString(),
                        json.get("mode").getAsString().equals("thrpt"),
                        rounds(primary),
                        others));
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

    private static List<Double> means(JsonObject metric) {
        return rounds(metric).stream().map(Samples::mean).toList();
    }

    /** JMH writes "NaN" as a string. */
    private static double number(JsonElement element) {
        return Double.parseDouble(element.getAsString());
    }
}
