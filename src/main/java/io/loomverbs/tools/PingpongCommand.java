package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.Device;
import io.loomverbs.LinkLayer;
import io.loomverbs.Mtu;
import io.loomverbs.PortAttributes;
import io.loomverbs.QpType;
import io.loomverbs.WaitStrategy;
import io.loomverbs.management.VerbsManagement;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code ibv_rc_pingpong} and its sisters. */
@Command(
        name = "pingpong",
        description = {
            "Send a message back and forth between two handlers on virtual threads, as"
                    + " ibv_rc_pingpong, ibv_uc_pingpong and ibv_ud_pingpong do.",
            "",
            "With HOST, run as a client of the server there; without, as a server that waits for"
                    + " a client. The other end may be one of these C programs. With --local, this"
                    + " process runs both ends, as it always does on soft0, which no other process"
                    + " can reach.",
            "",
            "The JVM needs some thousand round trips to compile the code. So this process first"
                    + " runs both ends for a moment, on separate queue pairs, and only then the"
                    + " round trips that count: see --warm-up."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  loomverbs pingpong -e -c",
            "  loomverbs pingpong -s 64 -n 100k --wait adaptive --plot pingpong.svg",
            "  loomverbs pingpong -d mlx5_0 -e         and there: ibv_rc_pingpong -e HOST",
            "  loomverbs pingpong -d mlx5_0 -e HOST    and there: ibv_rc_pingpong -e",
            "  loomverbs pingpong -d mlx5_0 --cm 10.0.0.5",
            "                           and there: loomverbs pingpong -d mlx5_0 --cm"
        })
final class PingpongCommand implements Callable<Integer> {
    /** The device that no other process can reach. */
    private static final String SOFT = "soft0";

    /** Any address is one of soft0's. */
    private static final String ON_SOFT = "10.0.0.1";

    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(2);
    private static final int MAX_SIZE = 1 << 30;
    private static final int MAX_DEPTH = 8192;
    private static final int MAX_PORT = 65535;
    private static final int MAX_SL = 15;
    private static final int SIZE = 4096;
    private static final int SIZE_UD = 1024;

    @Parameters(
            arity = "0..1",
            paramLabel = "HOST",
            description =
                    "The server; without it, this is the server. With --cm and --local, the"
                            + " address that the server in this process listens at.")
    private @Nullable String host;

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            defaultValue = "18515",
            description =
                    "The TCP port to listen on or connect to; with --cm the one of the connection"
                            + " manager (${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = {"-d", "--device", "--ib-dev"},
            paramLabel = "NAME",
            defaultValue = "soft0",
            description = "The device (${DEFAULT-VALUE}).")
    private String deviceName = "soft0";

    @Option(
            names = {"-i", "--ib-port"},
            paramLabel = "PORT",
            defaultValue = "1",
            description = "The port of the device (${DEFAULT-VALUE}).")
    private int ibPort;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "RC",
            description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
    private QpType type = QpType.RC;

    @Option(
            names = {"-s", "--size"},
            converter = Count.Bytes.class,
            paramLabel = "BYTES",
            description =
                    "The size of a message ("
                            + SIZE
                            + "; for UD "
                            + SIZE_UD
                            + ", and at most the MTU). Both ends must use the same value.")
    private @Nullable Integer size;

    @Option(
            names = {"-m", "--mtu"},
            converter = Count.Bytes.class,
            paramLabel = "BYTES",
            defaultValue = "1024",
            description = "The path MTU (${DEFAULT-VALUE}).")
    private int mtu;

    @Option(
            names = {"-r", "--rx-depth"},
            converter = Count.Things.class,
            paramLabel = "COUNT",
            defaultValue = "500",
            description = "How many receives to post ahead (${DEFAULT-VALUE}).")
    private int rxDepth;

    @Option(
            names = {"-n", "--iters"},
            converter = Count.Things.class,
            paramLabel = "COUNT",
            defaultValue = "1000",
            description =
                    "How many round trips (${DEFAULT-VALUE}). Both ends must use the"
                            + " same number.")
    private int iters;

    @Option(
            names = {"-l", "--sl"},
            paramLabel = "LEVEL",
            defaultValue = "0",
            description = "The service level (${DEFAULT-VALUE}).")
    private int sl;

    @Option(
            names = {"-e", "--events"},
            description =
                    "Sleep on completion events, rather than poll: wait with getCqEvent, arm and"
                            + " poll explicitly, as the C programs do.")
    private boolean events;

    @Option(
            names = {"-w", "--wait"},
            paramLabel = "HOW",
            description =
                    "Wait with await, which may poll before it sleeps: ${COMPLETION-CANDIDATES}."
                            + " Not with -e: getCqEvent always waits for an event. Without either,"
                            + " a handler polls in a loop.")
    private @Nullable WaitStrategy wait;

    @Option(
            names = "--warm-up",
            converter = Count.Things.class,
            paramLabel = "COUNT",
            defaultValue = "10k",
            description =
                    "How many round trips to play before those that count; fewer if they take more"
                            + " than two seconds; 0 for none (${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(
            names = {"-g", "--gid-idx"},
            paramLabel = "INDEX",
            description =
                    "The GID of the port to use (on Ethernet the one that reaches farthest, else"
                            + " none).")
    private @Nullable Integer gidIndex;

    @Option(
            names = {"-c", "--chk"},
            description = {
                "Validate every payload. A client sends other bytes each time and expects them"
                        + " back; a server expects these, or what C clients send with -c."
            })
    private boolean check;

    @Option(
            names = "--percentiles",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description =
                    "Time every round trip (yes), or read the clock only at the start and the end,"
                        + " as the C programs do. Without a vDSO each reading is a system call.")
    private boolean percentiles;

    @Option(names = "--json", description = "Print one JSON object, and nothing else, on stdout.")
    private boolean json;

    @Mixin private LatencyFiles files = new LatencyFiles();

    @Option(
            names = "--local",
            negatable = true,
            description = "Run both ends in this process, or not (on soft0 yes, else no).")
    private @Nullable Boolean local;

    @Option(
            names = "--cm",
            description = {
                "Find the other end by address and port through the connection manager, as rping"
                        + " does, which also sets up the queue pairs: only for RC, without -i, -g,"
                        + " -l and -m. The other end needs --cm, too.",
                "With --local, HOST is the address to listen at: one of the device's, on soft0 any"
                        + " (there, if it is left out, 10.0.0.1)."
            })
    private boolean cm;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException, IOException {
        Device device = Options.device(spec, deviceName);
        int bytes = size != null ? size : type == QpType.UD ? SIZE_UD : SIZE;
        Options.inRange(spec, "--port", port, 1, MAX_PORT, "TCP");
        Options.inRange(spec, "--size", bytes, 1, MAX_SIZE, "a message");
        Options.inRange(spec, "--iters", iters, 1, Integer.MAX_VALUE, "how many times");
        Options.inRange(spec, "--rx-depth", rxDepth, 1, MAX_DEPTH, "the receive queue");
        Options.inRange(spec, "--sl", sl, 0, MAX_SL, "4 bits");
        Options.inRange(spec, "--warm-up", warmUp, 0, Integer.MAX_VALUE, "how many times");
        files.check(spec);
        if (events && wait != null) {
            throw Options.wrong(
                    spec,
                    "--wait is "
                            + wait
                            + ", but with -e the ends wait with getCqEvent, which always waits for"
                            + " an event: leave out one of them");
        }
        if (cm) {
            checkByAddress(device);
        } else if (device.name().equals(SOFT) && (host != null || (local != null && !local))) {
            throw Options.wrong(
                    spec,
                    (host != null ? "HOST is " + host : "--no-local was given")
                            + ", but soft0 exists in one process only, which no other can reach:"
                            + " leave it out to run both ends here, or name another device with"
                            + " -d");
        }
        if (!cm && host != null && local != null && local) {
            throw Options.wrong(
                    spec, "HOST is " + host + ", but with --local both ends are in this process");
        }
        try (VerbsManagement _ = VerbsManagement.register();
                Context context = device.open()) {
            PingpongPlan plan = plan(context, bytes);
            PingpongWarmUp warm = PingpongWarmUp.play(context, plan, warmUp, LONGEST_WARM_UP);
            if (warmUp > 0) {
                tell("  " + warm);
            }
            PingpongReport report =
                    new PingpongReport(device.name(), plan, warm, play(context, plan));
            PrintWriter out = spec.commandLine().getOut();
            out.println(json ? report.json() : report.text());
            out.flush();
            files.write(report.title(), report.result().seconds(), report.latencies());
        }
        return ExitCode.OK;
    }

    /** Refuses what the connection manager chooses, or cannot do. */
    private void checkByAddress(Device device) {
        if (type != QpType.RC) {
            throw Options.wrong(
                    spec, "--type is " + type + ", but --cm connects queue pairs of type RC only");
        }
        for (String option : List.of("--ib-port", "--gid-idx", "--sl", "--mtu")) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw Options.wrong(
                        spec,
                        option + " was given, but with --cm the connection manager chooses it");
            }
        }
        if (device.name().equals(SOFT) && local != null && !local) {
            throw Options.wrong(
                    spec,
                    "--no-local was given, but soft0 exists in one process only, which no other can"
                            + " reach: leave it out, or name another device with -d");
        }
        if (host == null && isLocal(device) && !device.name().equals(SOFT)) {
            throw Options.wrong(
                    spec,
                    "HOST is missing: with --cm and --local, the address of "
                            + device.name()
                            + " to listen at");
        }
    }

    private boolean isLocal(Device device) {
        return local != null ? local : device.name().equals(SOFT);
    }

    private PingpongPlan plan(Context context, int bytes) {
        int ports = context.attributes().physicalPortCount();
        Options.inRange(spec, "--ib-port", ibPort, 1, ports, "the ports of " + deviceName);
        PortAttributes attributes = context.port(ibPort);
        if (type == QpType.UD) {
            int max = Math.max(Mtu.MTU_256.bytes(), attributes.activeMtu().bytes()); // UNKNOWN: 0
            Options.inRange(spec, "--size", bytes, 1, max, "the MTU, which limits UD");
        }
        int gid = gidIndex != null ? gidIndex : defaultGid(context, attributes);
        int last = attributes.gidTableLength() - 1;
        Options.inRange(spec, "--gid-idx", gid, -1, last, "-1 for none, or a GID of the port");
        return new PingpongPlan(
                type,
                bytes,
                iters,
                rxDepth,
                events,
                wait,
                check,
                percentiles,
                ibPort,
                pathMtu(),
                gid,
                sl);
    }

    private Mtu pathMtu() {
        List<Integer> sizes = new ArrayList<>();
        for (Mtu candidate : Mtu.values()) {
            if (candidate == Mtu.UNKNOWN) {
                continue;
            }
            if (candidate.bytes() == mtu) {
                return candidate;
            }
            sizes.add(candidate.bytes());
        }
        throw Options.wrong(spec, "--mtu is " + mtu + ", but must be one of " + sizes);
    }

    private int defaultGid(Context context, PortAttributes attributes) {
        if (attributes.linkLayer() != LinkLayer.ETHERNET) {
            return -1;
        }
        return context.defaultGidIndex(ibPort);
    }

    private Pingpong.Result play(Context context, PingpongPlan plan)
            throws InterruptedException, IOException {
        if (cm) {
            return playByAddress(byAddress(context, plan), context);
        }
        Pingpong pingpong = new Pingpong(context, plan, this::tell);
        if (host != null) {
            return pingpong.client(host, port);
        }
        return isLocal(context.device()) ? pingpong.local() : pingpong.server(port);
    }

    private PingpongByAddress byAddress(Context context, PingpongPlan plan) {
        try {
            return new PingpongByAddress(context, plan, this::tell);
        } catch (UnsupportedOperationException e) {
            throw Options.wrong(spec, String.valueOf(e.getMessage()));
        }
    }

    private Pingpong.Result playByAddress(PingpongByAddress pingpong, Context context)
            throws InterruptedException {
        if (isLocal(context.device())) {
            return pingpong.local(new InetSocketAddress(host == null ? ON_SOFT : host, port));
        }
        return host == null
                ? pingpong.server(new InetSocketAddress(port))
                : pingpong.client(new InetSocketAddress(host, port));
    }

    /** Flushes at once: a script may wait for this line. */
    private void tell(String line) {
        CommandLine commands = spec.commandLine();
        PrintWriter out = json ? commands.getErr() : commands.getOut();
        out.println(line);
        out.flush();
    }
}
