package io.loomverbs.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/** What was measured on; kept beside the raw results. */
final class Machine {
    private static final String FILE = "machine.properties";
    private static final String LOAD = "load";

    private final Map<String, String> facts;

    private Machine(Map<String, String> facts) {
        this.facts = facts;
    }

    static Machine here(String command) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("command", command);
        facts.put(
                "date",
                LocalDateTime.now(ZoneId.systemDefault()).withNano(0).toString().replace('T', ' '));
        facts.put("cpu", cpu() + " x " + Runtime.getRuntime().availableProcessors());
        facts.put("memory", memory());
        facts.put(LOAD, load() + " before");
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put(
                "java",
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        return new Machine(facts);
    }

    /** What was kept beside raw results, if it was; of several all that differs. */
    static Machine of(List<Path> results) throws IOException {
        Map<String, Set<String>> all = new TreeMap<>();
        for (Path of : results) {
            Path file = of.resolveSibling(FILE);
            if (Files.exists(file)) {
                Properties properties = new Properties();
                try (var reader = Files.newBufferedReader(file)) {
                    properties.load(reader);
                }
                properties.forEach(
                        (key, value) ->
                                all.computeIfAbsent((String) key, k -> new LinkedHashSet<>())
                                        .add((String) value));
            }
        }
        Map<String, String> facts = new TreeMap<>();
        all.forEach((key, values) -> facts.put(key, String.join("; ", values)));
        return new Machine(facts);
    }

    /** To be called when all was run. */
    void ran() {
        facts.merge(LOAD, load() + " after", (before, after) -> before + ", " + after);
    }

    /** How many threads ran or wanted to, on average over a minute. */
    private static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.2f", load);
    }

    void write(Path folder) throws IOException {
        StringBuilder text = new StringBuilder();
        facts.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        Files.writeString(folder.resolve(FILE), text, StandardCharsets.ISO_8859_1);
    }

    Map<String, String> facts() {
        return facts;
    }

    private static String cpu() {
        return line("/proc/cpuinfo", "model name", System.getProperty("os.arch"));
    }

    private static String memory() {
        String kib = line("/proc/meminfo", "MemTotal", "0 kB").replaceAll("\\D", "");
        return String.format(Locale.ROOT, "%.0f GiB", Long.parseLong(kib) / 1024.0 / 1024.0);
    }

    private static String line(String file, String start, String otherwise) {
        Path path = Path.of(file);
        if (!Files.exists(path)) {
            return otherwise;
        }
        try (var lines = Files.lines(path)) {
            return lines.filter(l -> l.startsWith(start))
                    .map(l -> l.substring(l.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(otherwise);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
