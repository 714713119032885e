package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.Device;
import io.loomverbs.QpType;

import org.HdrHistogram.Histogram;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.concurrent.Callable;

/** {@code ibv_rc_pingpong} for two handlers of one process. */
@Command(
        name = "pingpong",
        description =
                "Send a message back and forth between two handlers on virtual threads,"
                        + " as ibv_rc_pingpong, ibv_uc_pingpong and ibv_ud_pingpong do.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PingpongCommand implements Callable<Integer> {
    private static final int MAX_SIZE = 1 << 30;
    private static final int MAX_DEPTH = 8192;

    @Option(
            names = {"-d", "--device"},
            paramLabel = "NAME",
            defaultValue = "soft0",
            description = "The device (${DEFAULT-VALUE}).")
    private String deviceName = "soft0";

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "RC",
            description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
    private QpType type = QpType.RC;

    @Option(
            names = {"-s", "--size"},
            paramLabel = "BYTES",
            defaultValue = "1024",
            description = "The size of a message (${DEFAULT-VALUE}); for UD at most the MTU.")
    private int size;

    @Option(
            names = {"-n", "--iters"},
            paramLabel = "COUNT",
            defaultValue = "1000",
            description = "How many times forth and back (${DEFAULT-VALUE}).")
    private int iters;

    @Option(
            names = {"-r", "--rx-depth"},
            paramLabel = "COUNT",
            defaultValue = "500",
            description = "How many receives to post ahead (${DEFAULT-VALUE}).")
    private int rxDepth;

    @Option(
            names = {"-e", "--events"},
            description = "Sleep on completion events, rather than poll.")
    private boolean events;

    @Option(
            names = {"-c", "--chk"},
            description = "Validate every payload.")
    private boolean check;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        Device device = Options.device(spec, deviceName);
        Options.inRange(spec, "--size", size, 1, MAX_SIZE, "a message");
        Options.inRange(spec, "--iters", iters, 1, Integer.MAX_VALUE, "how many times");
        Options.inRange(spec, "--rx-depth", rxDepth, 1, MAX_DEPTH, "the receive queue");
        try (Context context = device.open()) {
            if (type == QpType.UD) {
                int mtu = context.port(1).activeMtu().bytes();
                Options.inRange(spec, "--size", size, 1, mtu, "the MTU, which limits UD");
            }
            Pingpong pingpong = new Pingpong(context, type, size, iters, rxDepth, events, check);
            print(pingpong.run(), pingpong.roundTripNanos());
        }
        return ExitCode.OK;
    }

    private void print(double seconds, Histogram nanos) {
        PrintWriter out = spec.commandLine().getOut();
        long bytes = 2L * size * iters;
        out.printf(
                "%d bytes in %.2f seconds = %.2f Mbit/sec%n",
                bytes, seconds, bytes * 8 / 1e6 / seconds);
        out.printf(
                "%d iters in %.2f seconds = %.2f usec/iter (p50 %.2f, p99 %.2f, max %.2f)%n",
                iters,
                seconds,
                seconds * 1e6 / iters,
                nanos.getValueAtPercentile(50) / 1e3,
                nanos.getValueAtPercentile(99) / 1e3,
                nanos.getMaxValue() / 1e3);
        if (check) {
            out.printf("%d payloads were as they were sent%n", 2L * iters);
        }
    }
}
