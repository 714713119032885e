package io.loomverbs.tools;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/** Runs benchmarks, and writes a report of them. */
@Command(
        name = "bench",
        description = {
            "Measure the cost of each step next to its limit and its alternatives, and write a"
                    + " report: index.html, its plots as SVG and PNG, and the raw results of JMH.",
            "",
            "Each round runs everything once, and the figures are medians over the rounds. With"
                    + " --baseline, the command compares them with earlier raw results: it prints"
                    + " what became slower beyond the noise, and then fails."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:everything was measured, and nothing became slower",
            "1:something could not be measured, or is slower than the baseline; the output says"
                    + " what",
            "2:an option or argument is wrong",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  loomverbs bench --list",
            "  loomverbs bench ack wake",
            "  loomverbs bench events -p cqs=10000 --rounds 3",
            "  loomverbs bench ack --baseline target/bench/earlier/results.json",
            "  loomverbs bench ack --json"
        })
final class BenchCommand implements Callable<Integer> {
    private static final int MAX_ROUNDS = 100;
    private static final int MIN_MILLIS = 10;
    private static final int MAX_MILLIS = 60_000;

    @Parameters(
            paramLabel = "NAME",
            arity = "0..*",
            description =
                    "What to run: sets, as --list names them, or parts of the names of benchmarks."
                            + " Without any, everything.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--list", description = "Print the sets, and what they measure.")
    private boolean list;

    @Option(
            names = "--rounds",
            paramLabel = "COUNT",
            defaultValue = "5",
            description =
                    "How often to run everything, each time in fresh JVMs (${DEFAULT-VALUE}). Fewer"
                            + " than 3 say little about the noise.")
    private int rounds;

    @Option(
            names = "--millis",
            paramLabel = "MS",
            defaultValue = "400",
            description = "How long an iteration takes; a round has 3 of them (${DEFAULT-VALUE}).")
    private int millis;

    @Option(
            names = "-p",
            paramLabel = "PARAM=VALUE[,VALUE…]",
            description = "Run a parameter's benchmarks for these values only.")
    private List<String> params = new ArrayList<>();

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FOLDER",
            description = "Where to write the report (target/bench/ and the time).")
    private @Nullable Path folder;

    @Option(
            names = "--from",
            paramLabel = "FILE",
            description =
                    "Run nothing; report on the raw results of an earlier run, or of several if the"
                            + " option is repeated.")
    private List<Path> from = new ArrayList<>();

    @Option(
            names = "--baseline",
            paramLabel = "FILE",
            description = "Raw results of an earlier run (results.json) to compare with.")
    private @Nullable Path baseline;

    @Option(names = "--json", description = "Print the figures, or the list, as one line of JSON.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Benchmarks benchmarks = benchmarks();
        if (list) {
            benchmarks.list(spec.commandLine().getOut(), json);
            return ExitCode.OK;
        }
        Options.inRange(spec, "--rounds", rounds, 1, MAX_ROUNDS, "rounds of a report");
        Options.inRange(spec, "--millis", millis, MIN_MILLIS, MAX_MILLIS, "an iteration");
        from.forEach(file -> readable("--from", file));
        readable("--baseline", baseline);
        for (String param : params) {
            if (!param.matches("\\w+=.+")) {
                throw Options.wrong(spec, "-p is " + param + ", but must be PARAM=VALUE[,VALUE…]");
            }
        }
        Benchmarks.Plan plan =
                new Benchmarks.Plan(
                        names,
                        rounds,
                        millis,
                        params,
                        folder == null ? freshFolder() : folder,
                        from,
                        baseline,
                        json);
        try {
            Benchmarks.Verdict verdict =
                    benchmarks.run(plan, spec.commandLine().getOut(), spec.commandLine().getErr());
            return verdict == Benchmarks.Verdict.DONE ? ExitCode.OK : ExitCode.SOFTWARE;
        } catch (IllegalArgumentException e) {
            throw Options.wrong(spec, String.valueOf(e.getMessage()));
        }
    }

    private void readable(String option, @Nullable Path file) {
        if (file != null && !Files.isReadable(file)) {
            throw Options.wrong(spec, option + " is " + file + ", which cannot be read");
        }
    }

    private static Path freshFolder() {
        String now =
                DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss", Locale.ROOT)
                        .format(LocalDateTime.now(ZoneId.systemDefault()));
        return Path.of("target", "bench", now);
    }

    private static Benchmarks benchmarks() {
        try {
            return Class.forName(Benchmarks.IMPLEMENTATION)
                    .asSubclass(Benchmarks.class)
                    .getConstructor()
                    .newInstance();
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(
                    "the benchmarks are not on the class path: run ./loomverbs bench where the"
                            + " sources are",
                    e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the benchmarks do not start", e);
        }
    }
}
