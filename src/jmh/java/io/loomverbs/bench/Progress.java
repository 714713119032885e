package io.loomverbs.bench;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.format.OutputFormat;

import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Shows how far a session is: a bar on a terminal, a line for each benchmark elsewhere. */
final class Progress implements AutoCloseable {
    private static final int MILLIS_A_MINUTE = 60_000;

    private final PrintWriter err;
    private final int total;
    private final @Nullable ProgressBar bar;
    private final Map<String, String> failures = new LinkedHashMap<>();
    private String round = "";
    private int done;

    /** The benchmark that runs, until it has a result, and the first cause of its failure. */
    private @Nullable String running;

    private @Nullable String cause;

    private Progress(PrintWriter err, int total, @Nullable ProgressBar bar) {
        this.err = err;
        this.total = total;
        this.bar = bar;
    }

    static Progress start(PrintWriter err, int total, long millis) {
        err.printf(
                Locale.ROOT,
                "%d benchmarks in all rounds, some %d minutes%n",
                total,
                (millis + MILLIS_A_MINUTE - 1) / MILLIS_A_MINUTE);
        err.flush();
        ProgressBar bar = null;
        if (onTerminal()) {
            bar =
                    new ProgressBarBuilder()
                            .setTaskName("bench")
                            .setInitialMax(total)
                            .setStyle(ProgressBarStyle.ASCII)
                            .build();
        }
        return new Progress(err, total, bar);
    }

    @SuppressWarnings(
            "SystemConsoleNull") // it is null where -Djdk.console=java.base has no terminal
    private static boolean onTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    void round(int number, int of) {
        round = number + "/" + of;
    }

    /** What has failed, and why. */
    List<String> missing() {
        return failures.entrySet().stream().map(e -> e.getKey() + ": " + e.getValue()).toList();
    }

    private void started(BenchmarkParams params) {
        failed();
        running = name(params);
        cause = null;
        if (bar != null) {
            bar.setExtraMessage(" round " + round + ", " + running);
        }
    }

    private void ended(@Nullable BenchmarkResult result) {
        if (result == null) {
            failed();
            return;
        }
        Result<?> score = result.getPrimaryResult();
        step(Figure.digits(score.getScore()) + " " + score.getScoreUnit());
        running = null;
    }

    /** One that runs, and is not running any more, and has no result, has failed. */
    private void failed() {
        if (running != null) {
            String why = cause == null ? "no result; see jmh.log" : cause;
            failures.putIfAbsent(running, why);
            step("NOT MEASURED: " + why);
            running = null;
        }
    }

    private void step(String outcome) {
        done++;
        if (bar != null) {
            bar.stepTo(done);
        } else {
            err.printf(
                    Locale.ROOT,
                    "round %s, %d of %d: %s: %s%n",
                    round,
                    done,
                    total,
                    running,
                    outcome);
            err.flush();
        }
    }

    private void printed(String line) {
        if (running != null && cause == null && line.matches("(?s).*\\w+(Exception|Error): .+")) {
            cause =
                    line.lines()
                            .map(String::strip)
                            .filter(l -> l.matches(".*\\w+(Exception|Error): .+"))
                            .findFirst()
                            .orElse(line)
                            .replaceAll("^[\\w.$]+(Exception|Error): ", "");
        }
    }

    private static String name(BenchmarkParams params) {
        String full = params.getBenchmark();
        String simple = full.substring(full.lastIndexOf('.', full.lastIndexOf('.') - 1) + 1);
        Collection<String> keys = params.getParamsKeys();
        return simple
                + (keys.isEmpty()
                        ? ""
                        : keys.stream()
                                .map(key -> key + "=" + params.getParam(key))
                                .collect(Collectors.joining(", ", " (", ")")))
                + (params.getThreads() == 1 ? "" : ", " + params.getThreads() + " threads");
    }

    @Override
    public void close() {
        failed();
        if (bar != null) {
            bar.close();
        }
        missing().forEach(m -> err.println("NOT MEASURED: " + m));
        err.flush();
    }

    /** Looks on while JMH writes its log. */
    OutputFormat watch(OutputFormat log) {
        return new Watching(log);
    }

    private final class Watching implements OutputFormat {
        private final OutputFormat log;

        Watching(OutputFormat log) {
            this.log = log;
        }

        @Override
        public void iteration(BenchmarkParams params, IterationParams iteration, int number) {
            log.iteration(params, iteration, number);
        }

        @Override
        public void iterationResult(
                BenchmarkParams params,
                IterationParams iteration,
                int number,
                IterationResult result) {
            log.iterationResult(params, iteration, number, result);
        }

        @Override
        public void startBenchmark(BenchmarkParams params) {
            started(params);
            log.startBenchmark(params);
        }

        @Override
        public void endBenchmark(BenchmarkResult result) {
            ended(result);
            log.endBenchmark(result);
        }

        @Override
        public void startRun() {
            log.startRun();
        }

        @Override
        public void endRun(Collection<RunResult> result) {
            failed();
            log.endRun(result);
        }

        @Override
        public void print(String text) {
            printed(text);
            log.print(text);
        }

        @Override
        public void println(String line) {
            printed(line);
            log.println(line);
        }

        @Override
        public void flush() {
            log.flush();
        }

        @Override
        public void close() {
            log.close();
        }

        @Override
        public void verbosePrintln(String line) {
            log.verbosePrintln(line);
        }

        @Override
        public void write(int b) {
            log.write(b);
        }

        @Override
        public void write(byte[] bytes) throws IOException {
            log.write(bytes);
        }
    }
}
