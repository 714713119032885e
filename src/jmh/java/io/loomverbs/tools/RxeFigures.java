package io.loomverbs.tools;

import com.sun.management.ThreadMXBean;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * loomverbs next to programs in C that do the same on the same device: in turns, in one boot of the
 * guest, medians of several runs. {@code src/test/rxe/figures} runs it.
 */
public final class RxeFigures {
    private static final int RUNS = Integer.getInteger("figures.runs", 5);
    private static final long POLLS = 2_000_000;
    private static final long ARMS = Long.getLong("figures.arms", 30_000);
    private static final int ITERS = Integer.getInteger("figures.iters", 5_000);
    private static final int CQS = Integer.getInteger("figures.cqs", 1_000);
    private static final int CONNECTIONS = Integer.getInteger("figures.connections", 250);
    private static final int CONNECTS = Integer.getInteger("figures.connects", 500);

    /** The JVM goes on compiling for some thousand connections; what is in C need not. */
    private static final int CONNECT_WARM_UP = Integer.getInteger("figures.warm", 20);

    private static final int CONNECT_PORT = 7500;
    private static final String CONNECT_PROGRAM = "target/rxe/connections";

    /** That of the guest's device. */
    private static final String ADDRESS = System.getProperty("figures.address", "10.99.0.1");

    private static final double SECONDS =
            Double.parseDouble(System.getProperty("figures.seconds", "3"));
    private static final Pattern USEC = Pattern.compile("([0-9.]+) usec/iter");
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final String device;
    private final String figures;
    private final Map<String, List<Double>> seen = new LinkedHashMap<>();

    private RxeFigures(String device, String figures) {
        this.device = device;
        this.figures = figures;
    }

    /**
     * Measures and prints.
     *
     * @param args the device, the compiled figures.c, and which figures: poll, arm, pingpong,
     *     channel, onecq, connect, events, ready, calls
     * @throws Throwable whatever fails
     */
    public static void main(String[] args) throws Throwable {
        for (String what : Arrays.copyOfRange(args, 2, args.length)) {
            RxeFigures all = new RxeFigures(args[0], args[1]);
            switch (what) {
                case "poll" -> all.calls("poll", POLLS);
                case "arm" -> all.calls("arm", ARMS);
                case "pingpong" -> all.pingpong();
                case "channel" -> all.channel();
                case "onecq" -> all.oneCq();
                case "connect" -> all.connect();
                case "events" -> all.events();
                case "ready" -> all.ready();
                case "calls" -> systemCalls(args[0], args[1]);
                default -> throw new IllegalArgumentException("no figures of " + what);
            }
        }
    }

    private void add(String name, double value) {
        seen.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
    }

    private double median(String name) {
        List<Double> sorted = seen.get(name).stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    private void print(String title, String base) {
        System.out.println(title);
        for (Map.Entry<String, List<Double>> entry : seen.entrySet()) {
            System.out.printf(
                    Locale.ROOT,
                    "  %-34s median %10.1f   %5.2f of %s   %s%n",
                    entry.getKey(),
                    median(entry.getKey()),
                    median(entry.getKey()) / median(base),
                    base,
                    entry.getValue().stream().map("%.1f"::formatted).toList());
        }
    }

    static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(Arrays.toString(command) + ": " + printed);
        }
        return printed.strip();
    }

    // --- poll and arm

    private void calls(String what, long calls) throws Throwable {
        BareVerbs bare = new BareVerbs(device);
        boolean polls = what.equals("poll");
        try (Context context = Verbs.device(device).open();
                CompletionChannel channel = polls ? null : context.createCompChannel();
                CompletionQueue cq = context.createCq(16, null, channel, 0)) {
            WorkCompletions batch = WorkCompletions.allocate(16);
            long warmUp = polls ? 100_000 : 20_000;
            for (int i = 0; i < 5; i++) {
                nanos(polls, warmUp, bare);
                nanos(polls, warmUp, cq, batch);
            }
            for (int i = 0; i < RUNS; i++) {
                add("C", Double.parseDouble(run(figures, device, what, Long.toString(calls))));
                add("invokeExact", nanos(polls, calls, bare));
                long before = THREADS.getCurrentThreadAllocatedBytes();
                double nanos = nanos(polls, calls, cq, batch);
                long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
                add("loomverbs", nanos);
                add("loomverbs, bytes allocated", (double) bytes / calls);
            }
        }
        print("one " + what + (what.equals("poll") ? " of an empty CQ" : "") + ", ns", "C");
        System.out.printf(
                Locale.ROOT,
                "  loomverbs is %.2f of invokeExact%n",
                median("loomverbs") / median("invokeExact"));
    }

    private static double nanos(boolean polls, long calls, BareVerbs bare) throws Throwable {
        return polls ? barePolls(calls, bare) : bareArms(calls, bare);
    }

    private static double nanos(boolean polls, long calls, CompletionQueue cq, WorkCompletions b) {
        return polls ? polls(calls, cq, b) : arms(calls, cq);
    }

    private static double barePolls(long calls, BareVerbs bare) throws Throwable {
        long start = System.nanoTime();
        for (long i = 0; i < calls; i++) {
            if (bare.poll() != 0) {
                throw new IllegalStateException("not empty");
            }
        }
        return (double) (System.nanoTime() - start) / calls;
    }

    private static double bareArms(long calls, BareVerbs bare) throws Throwable {
        long start = System.nanoTime();
        for (long i = 0; i < calls; i++) {
            if (bare.arm() != 0) {
                throw new IllegalStateException("not armed");
            }
        }
        return (double) (System.nanoTime() - start) / calls;
    }

    private static double polls(long calls, CompletionQueue cq, WorkCompletions batch) {
        long start = System.nanoTime();
        for (long i = 0; i < calls; i++) {
            if (cq.poll(batch) != 0) {
                throw new IllegalStateException("not empty");
            }
        }
        return (double) (System.nanoTime() - start) / calls;
    }

    private static double arms(long calls, CompletionQueue cq) {
        long start = System.nanoTime();
        for (long i = 0; i < calls; i++) {
            cq.reqNotify(false);
        }
        return (double) (System.nanoTime() - start) / calls;
    }

    // --- ping-pong

    /** A server in C, and a client that is in C as well, or a handler on a virtual thread. */
    private void pingpong() throws Exception {
        for (int i = 0; i < 2; i++) {
            oursAgainstC(); // warm-up
        }
        for (int i = 0; i < RUNS; i++) {
            add("C", cAgainstC());
            add("loomverbs", oursAgainstC());
        }
        print("RC ping-pong of 64 bytes with events, us an iteration", "C");
    }

    private static String[] pingpongOf(String program, String device, String... more) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                program,
                                "-e",
                                "-s",
                                "64",
                                "-n",
                                "" + ITERS,
                                "-g",
                                "1",
                                "-d",
                                device));
        command.addAll(List.of(more));
        return command.toArray(String[]::new);
    }

    private Process server() throws IOException {
        return new ProcessBuilder(pingpongOf("ibv_rc_pingpong", device))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static double usec(String printed) {
        Matcher matcher = USEC.matcher(printed);
        if (!matcher.find()) {
            throw new IllegalStateException(printed);
        }
        return Double.parseDouble(matcher.group(1));
    }

    private double cAgainstC() throws Exception {
        Process server = server();
        Thread.sleep(300); // until it listens
        String printed = run(pingpongOf("ibv_rc_pingpong", device, "127.0.0.1"));
        server.waitFor();
        return usec(printed);
    }

    private double oursAgainstC() throws Exception {
        Process server = server();
        Thread.sleep(300); // until it listens
        StringWriter printed = new StringWriter();
        CommandLine commands = Main.commandLine();
        commands.setOut(new PrintWriter(printed));
        commands.setErr(new PrintWriter(printed));
        commands.execute(pingpongOf("pingpong", device, "--no-percentiles", "127.0.0.1"));
        server.waitFor();
        return usec(printed.toString());
    }

    // --- events

    private void events() throws Exception {
        List<String> shapes = List.of("event", "await");
        try (EventFigures events = new EventFigures(device, figures)) {
            for (String shape : shapes) {
                events.pingpong(shape); // warm-up
            }
            for (int i = 0; i < RUNS; i++) {
                add("ibv_rc_pingpong -e", cAgainstC());
                for (String shape : shapes) {
                    add(shape + ", C, epoll_wait", events.cPingpong(shape, "epoll"));
                    add(shape + ", C", events.cPingpong(shape, "read"));
                    add(shape + ", loomverbs", events.pingpong(shape));
                }
            }
        }
        print("ping-pong of 64 bytes between two processes, us an iteration", "ibv_rc_pingpong -e");
    }

    private void ready() throws Exception {
        try (EventFigures events = new EventFigures(device, figures)) {
            for (int i = 0; i < 2; i++) {
                events.get("channel"); // warm-up
                events.get("direct");
            }
            for (int i = 0; i < RUNS; i++) {
                add("C", events.cGet("read"));
                add("C, epoll_wait", events.cGet("epoll"));
                add("loomverbs, channel", events.get("channel"));
                add("loomverbs, direct", events.get("direct"));
            }
        }
        print("get and acknowledge an event that is ready, us", "C");
    }

    private static void systemCalls(String device, String figures) throws Exception {
        System.out.println("system calls of both ends in one round trip");
        try (EventFigures events = new EventFigures(device, figures)) {
            for (String shape : List.of("event", "await")) {
                events.pingpong(shape);
                for (String how : List.of("read", "epoll")) {
                    printCalls(shape + ", C, " + how, events.cCalls(shape, how));
                }
                printCalls(shape + ", loomverbs", events.calls(shape));
            }
        }
    }

    private static void printCalls(String name, Map<String, Double> calls) {
        System.out.printf("  %-34s %s%n", name, EventFigures.text(calls));
    }

    // --- many CQs on one channel

    private void channel() throws Exception {
        String cqs = Integer.toString(CQS);
        new ChannelLoad(true).run(device, CQS, SECONDS); // warm-up
        new ChannelLoad(false).run(device, CQS, SECONDS);
        for (int i = 0; i < RUNS; i++) {
            String[] c =
                    run(figures, device, "channel", cqs, Double.toString(SECONDS)).split(" ", 2);
            add("C, events", Double.parseDouble(c[0]));
            add("C, messages", Double.parseDouble(c[1]));
            double[] direct = new ChannelLoad(true).run(device, CQS, SECONDS);
            add("loomverbs direct, events", direct[0]);
            add("loomverbs direct, messages", direct[1]);
            double[] shared = new ChannelLoad(false).run(device, CQS, SECONDS);
            add("loomverbs getCqEvent, events", shared[0]);
            add("loomverbs getCqEvent, messages", shared[1]);
        }
        print(CQS + " CQs on one channel, a handler each, a second", "C, events");
    }

    // --- one CQ for many connections

    private void oneCq() throws Exception {
        for (int i = -1; i < RUNS; i++) {
            if (i == 0) {
                seen.clear(); // what was before was warm-up
            }
            String[] c =
                    run(
                                    figures,
                                    device,
                                    "onecq",
                                    Integer.toString(2 * CONNECTIONS),
                                    Double.toString(SECONDS))
                            .split(" ", 2);
            add("C", Double.parseDouble(c[0]));
            add("C, batches", Double.parseDouble(c[1]));
            double[] java =
                    new SharedCqLoad(1, WaitStrategy.ADAPTIVE).run(device, CONNECTIONS, SECONDS);
            add("serve", java[0]);
            add("serve, batches", java[1]);
        }
        print(CONNECTIONS + " connections, one CQ, a second", "C");
    }

    // --- connecting

    private void connect() throws Exception {
        String count = Integer.toString(CONNECTS);
        for (int i = 0; i < CONNECT_WARM_UP; i++) {
            add("loomverbs, cold", ConnectionLoad.run(device, ADDRESS, CONNECTS));
        }
        for (int i = 0; i < RUNS; i++) {
            String port = Integer.toString(CONNECT_PORT + i);
            add("C", Double.parseDouble(run(CONNECT_PROGRAM, ADDRESS, port, count)));
            add("loomverbs", ConnectionLoad.run(device, ADDRESS, CONNECTS));
        }
        print(CONNECTS + " connections, a message each, a second", "C");
    }
}
