package io.loomverbs.tools;

import io.loomverbs.Device;
import io.loomverbs.cm.RdmaListener;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** {@code rping}. */
@Command(
        name = "rping",
        description = {
            "Connect through the connection manager and send text back and forth by RDMA READ"
                    + " and WRITE, as rping does. The other end may be that program.",
            "",
            "On an embedded device (--device soft0), this process runs both ends."
        },
        mixinStandardHelpOptions = false,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  loomverbs rping -s -a 10.0.0.5 -C 10    and there: rping -c -a 10.0.0.5 -C 10",
            "  loomverbs rping -c -a 10.0.0.5 -vV -C 10",
            "  loomverbs rping --device soft0 -v -C 3"
        })
final class RpingCommand implements Callable<Integer> {
    private static final int MAX_PORT = 65535;

    @Option(names = "-s", description = "Run as the server of one client.")
    private boolean server;

    @Option(names = "-c", description = "Run as the client.")
    private boolean client;

    @Option(
            names = "-a",
            paramLabel = "ADDRESS",
            description = "The server's address. A server without one listens at all addresses.")
    private @Nullable String address;

    @Option(
            names = "-p",
            paramLabel = "PORT",
            defaultValue = "7174",
            description = "The server's port (${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "-C",
            converter = Count.Things.class,
            paramLabel = "COUNT",
            defaultValue = "0",
            description = "How many rounds the client plays; 0 is unlimited (${DEFAULT-VALUE}).")
    private int count;

    @Option(
            names = "-S",
            converter = Count.Bytes.class,
            paramLabel = "BYTES",
            defaultValue = "64",
            description = "The size of the client's text (${DEFAULT-VALUE}).")
    private int size;

    @Option(names = "-v", description = "Print the text of each round.")
    private boolean verbose;

    @Option(names = "-V", description = "Compare the text that comes back (client).")
    private boolean validate;

    @Option(
            names = "--json",
            description = "Print one JSON object at the end on stdout, and all else on stderr.")
    private boolean json;

    @Option(names = "-P", description = "Serve one client after the other (server).")
    private boolean persistent;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "An embedded device. Without it, the address selects the device.")
    private @Nullable String deviceName;

    @SuppressWarnings("UnusedVariable") // picocli reads it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    private boolean help;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        Options.inRange(spec, "-p", port, 0, MAX_PORT, "a port");
        Options.inRange(spec, "-C", count, 0, Integer.MAX_VALUE, "how many times");
        Options.inRange(spec, "-S", size, RpingEnd.MIN_SIZE, RpingEnd.MAX_SIZE, "as rping has it");
        Device device = deviceName == null ? null : Options.device(spec, deviceName);
        boolean both = device != null;
        if (both ? server || client : server == client) {
            throw Options.wrong(
                    spec,
                    both
                            ? "-s or -c was given, but on an embedded device both ends are in this"
                                    + " process"
                            : "one of -s and -c must be given, or --device soft0 for both ends");
        }
        if (client && address == null) {
            throw Options.wrong(spec, "-a is missing: the server's address");
        }
        LongAdder rounds = new LongAdder();
        Consumer<String> told =
                line -> {
                    rounds.increment();
                    if (verbose) {
                        tell(line);
                    }
                };
        long start = System.nanoTime();
        try {
            play(new Rping(device, size, count, validate, told), both);
        } catch (UnsupportedOperationException e) {
            throw Options.wrong(spec, String.valueOf(e.getMessage()));
        }
        if (json) {
            double seconds = (System.nanoTime() - start) / 1e9;
            spec.commandLine().getOut().println(json(rounds.sum(), seconds));
        }
        return ExitCode.OK;
    }

    private String json(long rounds, double seconds) {
        return String.format(
                Locale.ROOT,
                "{\"device\":%s,\"address\":%s,\"server\":%b,\"rounds\":%d,\"size\":%d,"
                        + "\"validated\":%b,\"seconds\":%.3f}",
                TopJson.text(deviceName),
                TopJson.text(address),
                server,
                rounds,
                size,
                validate,
                seconds);
    }

    private void play(Rping rping, boolean both) throws InterruptedException {
        if (both) {
            bothEnds(rping);
        } else if (server) {
            serve(rping);
        } else {
            rping.client(at(address, port));
        }
    }

    private static InetSocketAddress at(@Nullable String host, int port) {
        return host == null ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    }

    private void serve(Rping rping) throws InterruptedException {
        try (RdmaListener listener = rping.manager().listen(at(address, port))) {
            tell("listening at " + listener.localAddress());
            do {
                rping.serveOne(listener);
            } while (persistent);
        }
    }

    private void bothEnds(Rping rping) throws InterruptedException {
        Consumer<String> silent = line -> {};
        Rping other = new Rping(rping.device(), rping.size(), rping.count(), false, silent);
        try (RdmaListener listener =
                rping.manager().listen(at(address == null ? "10.0.0.1" : address, port))) {
            FutureTask<Boolean> serving =
                    new FutureTask<>(
                            () -> {
                                other.serveOne(listener);
                                return true;
                            });
            Thread.startVirtualThread(serving);
            rping.client(listener.localAddress());
            serving.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the server failed: " + e.getCause(), e.getCause());
        }
    }

    /** Flushes at once: a script may wait for this line. */
    private void tell(String line) {
        PrintWriter out = json ? spec.commandLine().getErr() : spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
