package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.WaitStrategy;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.tools.storm.Storm;
import io.loomverbs.tools.storm.StormDelivery;
import io.loomverbs.tools.storm.StormMessage;
import io.loomverbs.tools.storm.StormPlan;
import io.loomverbs.tools.storm.StormResult;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;

/** Runs a storm, shows how it goes, and says whether every message has arrived. */
@Command(
        name = "storm",
        description = {
            "Run many completion queues, each with a blocking handler on a virtual thread of its"
                    + " own, and send real messages between them. Each message carries a sequence"
                    + " number and a checksum that its handler verifies.",
            "",
            "Succeeds only if nothing was lost, duplicated, corrupted or left unacknowledged, and"
                + " every handler got work. Ctrl-C ends it early, with the table so far; a second"
                + " one ends it at once."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nThe table:%n",
        footer = {
            "  messages   those received by a handler; a handler polls until its CQ is",
            "             empty, so an event may stand for several, and one may find that",
            "             the poll before it has taken its message: there may be fewer",
            "             events than messages, or more.",
            "             With --wait, events are the returns of await.",
            "  queueing   from the posting of a message until its handler works on it. At",
            "             full load, with N handlers ready, a message waits for the N",
            "             before it: so this is no wake-up latency. 'pingpong' and",
            "             'bench wake' measure that.",
            "  start-up   until every CQ was served once. Queueing during start-up is shown",
            "             separately; gaps count from then on.",
            "  gap        the longest time in which each CQ was not served.",
            "             In JSON: startSeconds; startQueueingMicros and queueingMicros,",
            "             during and after start-up; gapMillis.",
            "  heap       of a CQ, its handler, and what the storm keeps for both to verify",
            "             messages, before the first one: more than the library's part,",
            "             which 'loomverbs idle' measures. In JSON: heapBytesPerHandler.",
            "",
            "Examples:",
            "  loomverbs storm --churn",
            "  loomverbs storm --wait adaptive --plot storm.svg",
            "  loomverbs storm --cqs 1000 --delivery channel --channels 1000 --json"
        })
final class StormCommand implements Callable<Integer> {
    private static final int MAX_WINDOW = 64;
    private static final int MAX_SIZE = 1 << 20;
    private static final long MAX_MEMORY = 4L << 30;
    private static final int DEFAULT_CHANNELS = 16;
    private static final int WARM_UP_CQS = 200;
    private static final Duration WARM_UP = Duration.ofMillis(700);

    @Mixin private StormSize scale = new StormSize(10_000);

    @Option(
            names = "--delivery",
            paramLabel = "HOW",
            defaultValue = "DIRECT",
            description =
                    "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}). Direct: each handler waits for"
                        + " its own CQ. Channel: handlers wait on channels, and serve whichever CQ"
                        + " an event names.")
    private StormDelivery delivery = StormDelivery.DIRECT;

    @Option(
            names = {"-w", "--wait"},
            paramLabel = "HOW",
            description =
                    "With --delivery direct: wait with await, which may poll before it sleeps:"
                            + " ${COMPLETION-CANDIDATES}. Without it, and on channels, handlers"
                            + " wait with getCqEvent, always for an event.")
    private @Nullable WaitStrategy wait;

    @Option(
            names = "--channels",
            converter = Count.Things.class,
            paramLabel = "COUNT",
            description =
                    "With --delivery channel: how many channels (16, or one a CQ if there are"
                            + " fewer); as many as CQs gives each handler its own channel.")
    private @Nullable Integer channels;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description =
                    "How long to send messages (${DEFAULT-VALUE}); longer if not every handler has"
                            + " had work by then.")
    private int seconds;

    @Option(
            names = "--churn",
            description = "Keep destroying and re-creating randomly chosen CQs, under load.")
    private boolean churn;

    @Option(
            names = "--size",
            converter = Count.Bytes.class,
            paramLabel = "BYTES",
            defaultValue = "64",
            description = "The size of a message (${DEFAULT-VALUE}).")
    private int size;

    @Option(
            names = "--window",
            paramLabel = "COUNT",
            defaultValue = "1",
            description = "How many messages go back and forth in each pair (${DEFAULT-VALUE}).")
    private int window;

    @Option(names = "--json", description = "Print one JSON object, and nothing else, on stdout.")
    private boolean json;

    @Mixin private LatencyFiles files = new LatencyFiles();

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        files.check(spec);
        try (VerbsManagement _ = VerbsManagement.register();
                Context context = scale.device(spec).open()) {
            return run(context, plan(context.attributes()));
        }
    }

    private int run(Context context, StormPlan plan) throws InterruptedException {
        new Storm(context, warmUp(), false).run();
        Storm storm = new Storm(context, plan, true);
        try (EarlyEnd _ = EarlyEnd.register("storm", storm::stop)) {
            Thread progress = Thread.ofPlatform().daemon().unstarted(progress(storm));
            progress.start();
            StormResult result;
            try {
                result = storm.run();
            } finally {
                progress.interrupt();
                progress.join();
            }
            StormReport report = new StormReport(result);
            spec.commandLine().getOut().println(json ? report.json() : report.table());
            spec.commandLine().getOut().flush();
            files.write(report.title(), result.seconds(), report.latencies());
            return result.isGood() ? ExitCode.OK : ExitCode.SOFTWARE;
        }
    }

    /** The plan of the options, if it is within these limits. */
    StormPlan plan(DeviceAttributes limits) {
        int cqs = scale.cqs;
        Options.inRange(spec, "--cqs", cqs, 1, limits.maxCq(), "max_cq of " + scale.device);
        Options.inRange(
                spec, "--cqs", cqs, 1, limits.maxQp(), "max_qp of " + scale.device + ", one a CQ");
        Options.inRange(spec, "--seconds", seconds, 1, 86_400, "a day");
        Options.inRange(spec, "--window", window, 1, MAX_WINDOW, "what a handler keeps track of");
        Options.inRange(spec, "--size", size, StormMessage.MIN_BYTES, MAX_SIZE, "header to 1 MiB");
        Options.inRange(
                spec,
                "--cqs times --window times --size, in bytes",
                2L * cqs * window * size,
                0,
                MAX_MEMORY,
                "memory for messages");
        if (channels != null && delivery == StormDelivery.DIRECT) {
            throw Options.wrong(spec, "--channels needs --delivery channel");
        }
        if (wait != null && delivery == StormDelivery.CHANNEL) {
            throw Options.wrong(
                    spec,
                    "--wait needs --delivery direct: getCqEvent of a channel always waits for"
                            + " an event");
        }
        int onChannels = channels == null ? Math.min(DEFAULT_CHANNELS, cqs) : channels;
        Options.inRange(spec, "--channels", onChannels, 1, cqs, "no more than CQs");
        int perSecond = churn ? Math.clamp(cqs / 10, 20, 2_000) : 0;
        return new StormPlan(
                cqs,
                delivery,
                wait,
                onChannels,
                Duration.ofSeconds(seconds),
                window,
                size,
                perSecond);
    }

    /**
     * Frames of code that is not compiled yet are larger, and so would idle handlers seem to be.
     */
    private StormPlan warmUp() {
        int few = Math.min(WARM_UP_CQS, scale.cqs);
        return new StormPlan(few, delivery, wait, 1, WARM_UP, window, size, 0);
    }

    private Runnable progress(Storm storm) {
        PrintWriter err = spec.commandLine().getErr();
        return json ? () -> {} : new StormProgress(storm, seconds, err);
    }
}
