package io.loomverbs.tools;

import io.loomverbs.tools.soak.SoakResult;
import io.loomverbs.tools.soak.Usage;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.StringJoiner;

/** A soak's result, for people and for programs. */
final class SoakReport {
    private static final double MIB = 1 << 20;

    private final String device;
    private final SoakResult result;

    SoakReport(String device, SoakResult result) {
        this.device = device;
        this.result = result;
    }

    /**
     * The resources that a process uses, in a few words: with the label of a row it fits 80
     * columns.
     */
    private static String usage(Usage usage) {
        String files =
                usage.descriptors().isEmpty()
                        ? ""
                        : String.format(Locale.ROOT, ", %d files", usage.descriptors().size());
        return String.format(
                Locale.ROOT, "%s, %d threads%s", memory(usage), usage.threads().size(), files);
    }

    /** The part that changes all the time. */
    static String memory(Usage usage) {
        String rss =
                usage.rssBytes() < 0
                        ? ""
                        : String.format(Locale.ROOT, ", RSS %.1f MiB", usage.rssBytes() / MIB);
        return String.format(Locale.ROOT, "heap %.2f MiB%s", usage.heapBytes() / MIB, rss);
    }

    String text() {
        StringBuilder text = new StringBuilder();
        row(text, "device", device);
        row(text, "rounds", result.rounds() + " in " + seconds() + " s");
        row(text, "messages", String.format(Locale.ROOT, "%,d", result.counts().messages()));
        text.append(result.counts().text()).append('\n');
        Usage first = result.first();
        Usage last = result.last();
        if (first != null) {
            row(text, "when settled", usage(first));
        }
        if (last != null) {
            row(text, "in the end", usage(last));
            row(text, "judged", judged());
        }
        result.failures().forEach(failure -> row(text, "failed", failure));
        row(text, "result", verdict());
        return text.toString().stripTrailing();
    }

    private String judged() {
        String always = "what is open, threads, files";
        if (!result.plan().judgesMemory()) {
            return always + "; memory from 2 minutes on";
        }
        return result.judgesRss()
                ? always + ", heap, RSS"
                : always + ", heap; not RSS (see --help)";
    }

    private String seconds() {
        return String.format(Locale.ROOT, "%.0f", result.seconds());
    }

    private String verdict() {
        if (!result.isGood()) {
            return "FAILED";
        }
        return result.interrupted() ? "interrupted; all was well so far" : "all was well";
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "%-24s %s%n", name, value));
    }

    String json() {
        StringJoiner failures = new StringJoiner(",", "[", "]");
        result.failures().forEach(failure -> failures.add(TopJson.text(failure)));
        return String.format(
                Locale.ROOT,
                "{\"device\":%s,\"good\":%b,\"interrupted\":%b,\"seconds\":%.1f,\"rounds\":%d,"
                        + "%s,\"settled\":%s,\"end\":%s,\"judgesMemory\":%b,\"judgesRss\":%b,"
                        + "\"jdk\":%s,\"cores\":%d,\"failures\":%s}",
                TopJson.text(device),
                result.isGood(),
                result.interrupted(),
                result.seconds(),
                result.rounds(),
                result.counts().json(),
                json(result.first()),
                json(result.last()),
                result.plan().judgesMemory(),
                result.plan().judgesMemory() && result.judgesRss(),
                TopJson.text(Runtime.version().toString()),
                Runtime.getRuntime().availableProcessors(),
                failures);
    }

    private static String json(@Nullable Usage usage) {
        if (usage == null) {
            return "null";
        }
        return String.format(
                Locale.ROOT,
                "{\"heapBytes\":%d,\"rssBytes\":%d,\"threads\":%d,\"descriptors\":%d}",
                usage.heapBytes(),
                usage.rssBytes(),
                usage.threads().size(),
                usage.descriptors().size());
    }
}
