package io.loomverbs.tools;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

import io.loomverbs.WaitStrategy;
import io.loomverbs.tools.plot.Nanos;
import io.loomverbs.tools.storm.StormDelivery;
import io.loomverbs.tools.storm.StormPlan;
import io.loomverbs.tools.storm.StormResult;

import org.HdrHistogram.Histogram;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** A storm's result, for people and for programs. */
final class StormReport {
    private final StormResult result;
    private final StormPlan plan;

    StormReport(StormResult result) {
        this.result = result;
        this.plan = result.plan();
    }

    String table() {
        StringBuilder text = new StringBuilder();
        String how =
                plan.delivery() == StormDelivery.DIRECT ? "direct" : plan.channels() + " channels";
        row(text, "CQs", "%,d, %s, %s", plan.cqs(), how, waits());
        row(text, "handlers at work", "%,d", result.handlers());
        row(text, "messages", "%,d in %.1f s", result.messages(), result.seconds());
        row(text, "events", "%,d, %,.0f/s", result.events(), result.eventsPerSecond());
        row(text, "lost", "%,d", result.lost());
        row(text, "duplicated", "%,d", result.duplicated());
        row(text, "corrupted", "%,d", result.corrupted());
        row(text, "unacked", "%,d", result.unacked());
        if (plan.churnPerSecond() > 0) {
            row(text, "CQs destroyed", "%,d", result.destroyed());
            row(text, "dropped with them", "%,d messages", result.dropped());
        }
        StormResult.Waits waits = result.waits();
        row(text, "start-up", "%s", startUp(waits.startSeconds()));
        row(text, "queueing in it", "%s", times(waits.startNanos()));
        row(text, "queueing at full load", "%s", times(waits.queueingNanos()));
        row(
                text,
                "longest gap of a CQ",
                "p50 of all CQs %s, p99 %s, max %s",
                Nanos.text(at(waits.gapNanos(), 50)),
                Nanos.text(at(waits.gapNanos(), 99)),
                Nanos.text(at(waits.gapNanos(), 100)));
        row(text, "heap with storm's state", "%,d bytes a handler", result.heapBytesPerHandler());
        for (String failure : result.failures()) {
            row(text, "failed", "%s", failure);
        }
        row(text, "result", "%s", verdict());
        return text.toString().stripTrailing();
    }

    private String waits() {
        WaitStrategy strategy = plan.strategy();
        return strategy == null ? "getCqEvent" : strategy.name().toLowerCase(Locale.ROOT);
    }

    private String verdict() {
        if (!result.isGood()) {
            return "FAILED";
        }
        return result.interrupted() ? "interrupted; all was well so far" : "all was well";
    }

    private static String startUp(double seconds) {
        return Double.isNaN(seconds)
                ? "some CQ was never served"
                : String.format(Locale.ROOT, "%.2f s until every CQ was served", seconds);
    }

    private static String times(Histogram nanos) {
        return String.format(
                Locale.ROOT,
                "p50 %s, p99 %s, p99.9 %s, max %s",
                Nanos.text(at(nanos, 50)),
                Nanos.text(at(nanos, 99)),
                Nanos.text(at(nanos, 99.9)),
                Nanos.text(at(nanos, 100)));
    }

    /** The title of a plot of the latencies. */
    String title() {
        return String.format(Locale.ROOT, "storm: %,d CQs, %s, at full load", plan.cqs(), waits());
    }

    /** The latencies to draw and to write, by name. */
    Map<String, Histogram> latencies() {
        Map<String, Histogram> latencies = new LinkedHashMap<>();
        latencies.put("queueing", result.waits().queueingNanos());
        latencies.put("gap", result.waits().gapNanos());
        return latencies;
    }

    private static double at(Histogram nanos, double percentile) {
        return nanos.getValueAtPercentile(percentile);
    }

    private static String json(String name, Histogram nanos, double unit) {
        return String.format(
                Locale.ROOT,
                "\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
                name,
                at(nanos, 50) / unit,
                at(nanos, 99) / unit,
                at(nanos, 99.9) / unit,
                at(nanos, 100) / unit);
    }

    @FormatMethod
    private static void row(
            StringBuilder text, String name, @FormatString String format, Object... values) {
        text.append("%-24s ".formatted(name))
                .append(String.format(Locale.ROOT, format, values))
                .append('\n');
    }

    String json() {
        StringJoiner failures = new StringJoiner(",", "[", "]");
        result.failures().forEach(failure -> failures.add(TopJson.text(failure)));
        StringJoiner object = new StringJoiner(",", "{", "}");
        object.add("\"cqs\":" + plan.cqs());
        object.add(
                "\"delivery\":"
                        + TopJson.text(
                                plan.delivery() == StormDelivery.DIRECT ? "direct" : "channel"));
        object.add(
                "\"channels\":" + (plan.delivery() == StormDelivery.DIRECT ? 0 : plan.channels()));
        object.add("\"wait\":" + TopJson.text(waits()));
        object.add("\"churn\":" + (plan.churnPerSecond() > 0));
        object.add(String.format(Locale.ROOT, "\"seconds\":%.3f", result.seconds()));
        object.add(String.format(Locale.ROOT, "\"cpuSeconds\":%.2f", result.cpuSeconds()));
        object.add("\"interrupted\":" + result.interrupted());
        object.add("\"handlers\":" + result.handlers());
        object.add("\"messages\":" + result.messages());
        object.add("\"events\":" + result.events());
        object.add(
                String.format(Locale.ROOT, "\"eventsPerSecond\":%.0f", result.eventsPerSecond()));
        object.add("\"lost\":" + result.lost());
        object.add("\"duplicated\":" + result.duplicated());
        object.add("\"corrupted\":" + result.corrupted());
        object.add("\"unacked\":" + result.unacked());
        object.add("\"destroyed\":" + result.destroyed());
        object.add("\"dropped\":" + result.dropped());
        StormResult.Waits waits = result.waits();
        double start = waits.startSeconds();
        object.add(
                "\"startSeconds\":"
                        + (Double.isNaN(start)
                                ? "null"
                                : String.format(Locale.ROOT, "%.3f", start)));
        object.add(json("startQueueingMicros", waits.startNanos(), 1e3));
        object.add(json("queueingMicros", waits.queueingNanos(), 1e3));
        object.add(json("gapMillis", waits.gapNanos(), 1e6));
        object.add("\"heapBytesPerHandler\":" + result.heapBytesPerHandler());
        object.add("\"jdk\":" + TopJson.text(Runtime.version().toString()));
        object.add("\"cores\":" + Runtime.getRuntime().availableProcessors());
        object.add("\"failures\":" + failures);
        return object.toString();
    }
}
