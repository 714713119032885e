package io.loomverbs.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;

/** What was measured, as a line of JSON. */
final class ReportJson {
    private static final double P99 = 99;

    private final Machine machine;
    private final Results results;
    private final List<String> missing;
    private final @Nullable Comparison comparison;

    ReportJson(
            Machine machine,
            Results results,
            List<String> missing,
            @Nullable Comparison comparison) {
        this.machine = machine;
        this.results = results;
        this.missing = missing;
        this.comparison = comparison;
    }

    /** What {@code --list} prints. */
    static JsonElement of(List<BenchmarkSet> sets) {
        return array(
                sets,
                set -> {
                    JsonObject json = new JsonObject();
                    json.addProperty("name", set.name());
                    json.addProperty("what", set.what());
                    json.addProperty("benchmarks", set.benchmarks());
                    return json;
                });
    }

    /**
     * All figures, medians over the rounds.
     *
     * @param page where the report is
     * @param raw where the results of JMH are
     */
    JsonElement of(Path page, List<Path> raw) {
        JsonObject json = new JsonObject();
        JsonObject facts = new JsonObject();
        machine.facts().forEach(facts::addProperty);
        json.add("machine", facts);
        json.add("figures", array(results.all(), ReportJson::figure));
        json.add(
                "goals",
                array(
                        new Goals(results)
                                .goals().stream().filter(goal -> goal.reached() != null).toList(),
                        ReportJson::goal));
        json.add("notMeasured", array(missing, JsonPrimitive::new));
        json.add("baseline", comparison == null ? JsonNull.INSTANCE : baseline(comparison));
        json.addProperty("report", page.toString());
        json.add("results", array(raw, file -> new JsonPrimitive(file.toString())));
        return json;
    }

    private static JsonElement figure(Measurement m) {
        JsonObject json = new JsonObject();
        json.addProperty("benchmark", m.benchmark());
        json.addProperty("threads", m.threads());
        JsonObject params = new JsonObject();
        m.params().forEach(params::addProperty);
        json.add("params", params);
        json.addProperty("unit", m.unit());
        json.addProperty("rounds", m.rounds().size());
        add(json, m.isDistribution() ? "p50" : "mean", Figure.of(m.scores()));
        if (m.isDistribution()) {
            add(json, "p99", Figure.of(m.percentiles(P99)));
        }
        JsonObject others = new JsonObject();
        m.others().keySet().forEach(name -> add(others, name, Figure.of(m.other(name))));
        json.add("others", others);
        return json;
    }

    private static JsonElement goal(Goals.Goal goal) {
        JsonObject json = new JsonObject();
        json.addProperty("what", goal.what());
        json.addProperty(goal.atMost() ? "atMost" : "atLeast", goal.limit());
        add(json, "reached", goal.reached());
        json.addProperty("rounds", goal.rounds());
        json.addProperty("verdict", goal.verdict());
        return json;
    }

    private static JsonElement baseline(Comparison comparison) {
        JsonObject json = new JsonObject();
        json.addProperty("compared", comparison.changes().size());
        json.add("slower", array(comparison.slower(), ReportJson::change));
        json.add("faster", array(comparison.faster(), ReportJson::change));
        json.addProperty("undecided", comparison.tooFewRounds());
        json.addProperty("notRun", comparison.onlyThen());
        return json;
    }

    private static JsonElement change(Comparison.Change change) {
        JsonObject json = new JsonObject();
        json.addProperty("what", change.what());
        json.addProperty("unit", change.unit());
        add(json, "then", change.then());
        add(json, "now", change.now());
        json.addProperty("slowdown", change.slowdown());
        return json;
    }

    /** A figure that is missing is null: JSON has no other number for that. */
    private static void add(JsonObject to, String name, Figure figure) {
        JsonObject json = new JsonObject();
        json.add("median", number(figure.median()));
        json.add("least", number(figure.least()));
        json.add("most", number(figure.most()));
        to.add(name, json);
    }

    private static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
    }

    private static <T> JsonArray array(Collection<T> all, Function<T, JsonElement> each) {
        JsonArray array = new JsonArray();
        all.forEach(element -> array.add(each.apply(element)));
        return array;
    }
}
