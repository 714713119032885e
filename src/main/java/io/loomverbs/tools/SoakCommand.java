package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.tools.soak.Soak;
import io.loomverbs.tools.soak.SoakPlan;
import io.loomverbs.tools.soak.SoakResult;
import io.loomverbs.tools.soak.Usage;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;

/** Runs a soak, shows its progress, and reports whether anything was lost or left open. */
@Command(
        name = "soak",
        description = {
            "Run everything at once for a long time, and check that nothing is lost or left open:"
                    + " a storm whose CQs are destroyed under load, streams that are interrupted"
                    + " and time out, queue pairs in error, surplus acknowledgements, slow and"
                    + " failing handlers, contexts that are opened and closed, and garbage for the"
                    + " collector.",
            "",
            "A soak consists of rounds of at most ten seconds. After each round nothing may be"
                    + " open or unacknowledged, and there may be no more threads and descriptors"
                    + " than after the first minute (in a run of less than three minutes, the"
                    + " first third). A run of two minutes or more also fails if the live heap or"
                    + " the resident memory has grown by more than 5 %% since then. The soak ends"
                    + " at the first failure. Ctrl-C ends it early, with the result so far."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nResident memory:%n",
        footer = {
            "  It is compared only if the heap has a fixed size and is touched at start, as",
            "  with ./loomverbs. For the jar, use:",
            "  java -Xms256m -Xmx256m -XX:+AlwaysPreTouch -jar JAR soak",
            "",
            "Do not attach top or jcmd to a soak: they open descriptors and start threads.",
            "",
            "Examples:",
            "  loomverbs soak",
            "  loomverbs soak --minutes 480 --json > soak.json",
            "  loomverbs soak --minutes 0.5 --cqs 100 --device rxe0"
        })
final class SoakCommand implements Callable<Integer> {
    private static final double SHORTEST_MINUTES = 0.05;
    private static final double LONGEST_MINUTES = 10_080;
    private static final double SECONDS_PER_MINUTE = 60;
    private static final double JUDGES_MEMORY_FROM = 2;
    private static final int LINES = 60;
    private static final double NANOS = 1e9;

    @Option(
            names = {"-m", "--minutes"},
            paramLabel = "N",
            defaultValue = "10",
            description = "How long to run (${DEFAULT-VALUE}); 0.5 is half a minute.")
    private double minutes;

    @Mixin private StormSize size = new StormSize(500);

    @Option(
            names = "--json",
            description = "Print one JSON object on stdout; progress still goes to stderr.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    private double printedSeconds;

    @Override
    public Integer call() throws InterruptedException {
        if (!(minutes >= SHORTEST_MINUTES && minutes <= LONGEST_MINUTES)) {
            throw Options.wrong(
                    spec, "--minutes is " + minutes + ", but must be 0.05 to 10080: a week");
        }
        try (VerbsManagement _ = VerbsManagement.register();
                Context context = size.device(spec).open()) {
            DeviceAttributes limits = context.attributes();
            // The other parts need some, too.
            int most = Math.min(limits.maxCq(), limits.maxQp()) / 2;
            Options.inRange(
                    spec, "--cqs", size.cqs, 2, most, "half of what " + size.device + " has");
            Duration duration = Duration.ofMillis((long) (minutes * SECONDS_PER_MINUTE * 1000));
            SoakPlan plan = new SoakPlan(duration, size.cqs, minutes >= JUDGES_MEMORY_FROM);
            Soak soak = new Soak(context, plan, this::progress);
            SoakResult result;
            try (EarlyEnd _ = EarlyEnd.register("soak", soak::stop)) {
                result = soak.run();
                PrintWriter out = spec.commandLine().getOut();
                SoakReport report = new SoakReport(size.device, result);
                out.println(json ? report.json() : report.text());
                out.flush();
            }
            return result.isGood() ? ExitCode.OK : ExitCode.SOFTWARE;
        }
    }

    /** Prints a line for each round, but no more than about sixty in all. */
    private void progress(Soak soak) {
        double seconds = soak.elapsedNanos() / NANOS;
        double every = minutes * SECONDS_PER_MINUTE / LINES;
        Usage usage = soak.lastUsage();
        if (usage == null || (soak.rounds() > 1 && seconds - printedSeconds < every)) {
            return;
        }
        printedSeconds = seconds;
        PrintWriter err = spec.commandLine().getErr();
        err.printf(
                Locale.ROOT,
                "soak: %s of %s, %,d messages, %s%n",
                clock(seconds),
                clock(minutes * SECONDS_PER_MINUTE),
                soak.counts().messages(),
                SoakReport.memory(usage));
        err.flush();
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
    }
}
