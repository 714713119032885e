package io.loomverbs.bench;

import io.loomverbs.tools.Benchmarks;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Runs benchmarks with JMH, round by round, and keeps their raw results in one file. */
final class Session {
    static final String RESULTS = "results.json";
    private static final int WARM_UP_ITERATIONS = 2;
    private static final int ITERATIONS = 3;
    private static final int START_MILLIS = 1_500;

    /** Less, and what is measured is the interpreter. */
    private static final int MIN_WARM_UP_MILLIS = 500;

    /** One call of JMH. */
    private record Part(BenchmarkSet set, Collection<String> patterns, int threads) {}

    private final Benchmarks.Plan plan;
    private final Map<String, List<String>> params = new LinkedHashMap<>();
    private final List<Part> parts = new ArrayList<>();
    private final Map<String, RunResult> results = new LinkedHashMap<>();
    private final Set<String> missing = new LinkedHashSet<>();
    private int benchmarks;

    Session(Benchmarks.Plan plan) {
        this.plan = plan;
        for (String param : plan.params()) {
            int equals = param.indexOf('=');
            params.put(
                    param.substring(0, equals),
                    List.of(param.substring(equals + 1).split(",", -1)));
        }
        Set<BenchmarkListEntry> all = find(".*");
        checkParams(all);
        Set<String> unknown = new LinkedHashSet<>(plan.names());
        for (BenchmarkSet set : BenchmarkSet.ALL) {
            Set<String> patterns = patterns(set, unknown);
            if (!patterns.isEmpty()) {
                for (int threads : set.threads()) {
                    parts.add(new Part(set, patterns, threads));
                }
                for (BenchmarkListEntry entry : find(patterns.toArray(String[]::new))) {
                    benchmarks += set.threads().size() * combinations(entry);
                }
            }
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "no set or benchmark is called "
                            + String.join(", ", unknown)
                            + "; the sets are "
                            + BenchmarkSet.ALL.stream().map(BenchmarkSet::name).toList());
        }
    }

    private static Set<BenchmarkListEntry> find(String... patterns) {
        OutputFormat silent =
                OutputFormatFactory.createFormatInstance(
                        new PrintStream(PrintStream.nullOutputStream()), VerboseMode.SILENT);
        return BenchmarkList.defaultList().find(silent, List.of(patterns), List.of());
    }

    /** What of a set is asked for; takes the names that were found off the list. */
    private Set<String> patterns(BenchmarkSet set, Set<String> unknown) {
        Set<String> patterns = new LinkedHashSet<>();
        if (plan.names().isEmpty() || plan.names().contains(set.name())) {
            patterns.add(set.pattern());
            unknown.remove(set.name());
            return patterns;
        }
        for (String name : plan.names()) {
            for (BenchmarkListEntry entry : find(set.pattern())) {
                String simple =
                        entry.getUsername()
                                .substring(entry.getUsername().indexOf(set.benchmarks()));
                if (simple.contains(name)) {
                    patterns.add(Pattern.quote(entry.getUsername()) + "$");
                    unknown.remove(name);
                }
            }
        }
        return patterns;
    }

    private void checkParams(Set<BenchmarkListEntry> all) {
        Set<String> known = new LinkedHashSet<>();
        all.forEach(e -> e.getParams().orElse(Map.of()).keySet().forEach(name -> known.add(name)));
        for (String name : params.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "no benchmark has a parameter " + name + "; there are " + known);
            }
        }
    }

    private int combinations(BenchmarkListEntry entry) {
        int combinations = 1;
        for (Map.Entry<String, String[]> param : entry.getParams().orElse(Map.of()).entrySet()) {
            combinations *= params.getOrDefault(param.getKey(), List.of(param.getValue())).size();
        }
        return combinations;
    }

    /** What could not be measured, and why. */
    List<String> missing() {
        return List.copyOf(missing);
    }

    void run(PrintWriter err) throws IOException {
        Path log = plan.folder().resolve("jmh.log");
        int total = benchmarks * plan.rounds();
        long millis =
                START_MILLIS
                        + (long) WARM_UP_ITERATIONS * warmUpMillis()
                        + (long) ITERATIONS * plan.millis();
        try (PrintStream logging = new PrintStream(log.toFile(), StandardCharsets.UTF_8);
                Progress progress = Progress.start(err, total, total * millis)) {
            for (int round = 1; round <= plan.rounds(); round++) {
                progress.round(round, plan.rounds());
                for (Part part : parts) {
                    run(part, progress, logging);
                    write();
                }
            }
            missing.addAll(progress.missing());
        }
    }

    private int warmUpMillis() {
        return Math.max(MIN_WARM_UP_MILLIS, plan.millis());
    }

    private void run(Part part, Progress progress, PrintStream logging) {
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .forks(1)
                        .threads(part.threads)
                        .shouldFailOnError(false)
                        .addProfiler(GCProfiler.class);
        part.patterns.forEach(options::include);
        params.forEach((name, values) -> options.param(name, values.toArray(String[]::new)));
        if (part.set.timed()) {
            TimeValue time = TimeValue.milliseconds(plan.millis());
            options.warmupIterations(WARM_UP_ITERATIONS)
                    .warmupTime(TimeValue.milliseconds(warmUpMillis()))
                    .measurementIterations(ITERATIONS)
                    .measurementTime(time);
        }
        OutputFormat format =
                progress.watch(
                        OutputFormatFactory.createFormatInstance(logging, VerboseMode.NORMAL));
        try {
            for (RunResult result : new Runner(options.build(), format).run()) {
                // Not among what the id names: threads.
                String key = part.threads + " threads, " + result.getParams().id();
                results.merge(key, result, Session::merge);
            }
        } catch (RunnerException e) {
            throw new IllegalStateException("JMH failed; see " + plan.folder() + "/jmh.log", e);
        }
    }

    private static RunResult merge(RunResult earlier, RunResult later) {
        List<BenchmarkResult> all = new ArrayList<>(earlier.getBenchmarkResults());
        all.addAll(later.getBenchmarkResults());
        return new RunResult(later.getParams(), all);
    }

    /** After each part: an interrupted run leaves what it has. */
    private void write() throws IOException {
        Path file = plan.folder().resolve(RESULTS);
        Path fresh = plan.folder().resolve(RESULTS + ".new");
        try (PrintStream out = new PrintStream(fresh.toFile(), StandardCharsets.UTF_8)) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results.values());
        }
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
