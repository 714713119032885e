package io.loomverbs.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The figures of events: two warm processes of loomverbs next to two processes in C. */
final class EventFigures implements AutoCloseable {
    private static final int WARM_UP = Integer.getInteger("figures.warmUp", 500);
    private static final int ITERS = Integer.getInteger("figures.iters", 15_000);
    private static final int GETS = Integer.getInteger("figures.gets", 6_400);
    private static final int TRACED = Integer.getInteger("figures.traced", 1_000);

    /** The thread and the call, in a line of strace that begins a call. */
    private static final Pattern CALL = Pattern.compile("([0-9]+) +(\\w+)\\(");

    /** The call by which rxe arms a CQ. */
    private static final String ARM = "ioctl";

    private final String device;
    private final String figures;
    private final Player ping;
    private final Player pong;

    /** A warm process that plays one end. */
    private static final class Player implements AutoCloseable {
        private final Process process;
        private final BufferedReader from;
        private final PrintStream to;

        Player(String device) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of(System.getProperty("figures.player", "").split(" ", -1)));
            command.removeIf(String::isEmpty);
            command.addAll(List.of("-cp", System.getProperty("java.class.path")));
            command.addAll(List.of(EventPlayer.class.getName(), device));
            process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            from =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8));
            to = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        }

        String answer() throws IOException {
            String line = from.readLine();
            if (line == null) {
                throw new IOException("a player has ended; it says why above");
            }
            return line;
        }

        @Override
        public void close() {
            to.println("end");
            try {
                if (process.waitFor(10, TimeUnit.SECONDS)) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            process.destroyForcibly();
        }
    }

    EventFigures(String device, String figures) throws IOException {
        this.device = device;
        this.figures = figures;
        this.ping = new Player(device);
        this.pong = new Player(device);
    }

    @Override
    public void close() {
        ping.close();
        pong.close();
    }

    /** Microseconds for one round trip. */
    double pingpong(String shape) throws IOException {
        return pingpong(shape, ITERS);
    }

    private double pingpong(String shape, int iterations) throws IOException {
        for (Player player : List.of(ping, pong)) {
            player.to.println("play " + shape + " " + WARM_UP + " " + iterations);
        }
        String pingWire = ping.answer();
        ping.to.println(pong.answer());
        pong.to.println(pingWire);
        ping.answer();
        pong.answer();
        pong.to.println("answer");
        ping.to.println("begin");
        double micros = Double.parseDouble(ping.answer());
        pong.answer();
        return micros;
    }

    double cPingpong(String shape, String how) throws Exception {
        String[] c = cCommand(shape, how, ITERS);
        return Double.parseDouble(RxeFigures.run(c));
    }

    private String[] cCommand(String shape, String how, int iterations) {
        return new String[] {
            figures, device, "pingpong", shape, how, "" + WARM_UP, "" + iterations
        };
    }

    /** Microseconds to get and acknowledge an event that is ready. */
    double get(String shape) throws IOException {
        ping.to.println("get " + shape + " " + GETS);
        return Double.parseDouble(ping.answer());
    }

    double cGet(String how) throws Exception {
        return Double.parseDouble(RxeFigures.run(figures, device, "get", how, "" + GETS));
    }

    // --- system calls

    /**
     * System calls of both ends for each round trip, by name: of the threads that arm, and with
     * them of the scheduler that runs the handler. The JVM's other threads look at the clock at
     * intervals, and strace makes a round trip last for many of these.
     */
    Map<String, Double> calls(String shape) throws Exception {
        Path trace = Files.createTempFile("calls", ".txt");
        Process strace =
                new ProcessBuilder(
                                "strace",
                                "-f",
                                "-o",
                                trace.toString(),
                                "-p",
                                "" + ping.process.pid(),
                                "-p",
                                "" + pong.process.pid())
                        .redirectErrorStream(true)
                        .start();
        BufferedReader told =
                new BufferedReader(
                        new InputStreamReader(strace.getInputStream(), StandardCharsets.UTF_8));
        for (int attached = 0; attached < 2; ) {
            String line = told.readLine();
            if (line == null) {
                throw new IOException("strace has ended");
            }
            attached += line.contains("attached") ? 1 : 0;
        }
        pingpong(shape, TRACED);
        new ProcessBuilder("kill", "-INT", "" + strace.pid()).start().waitFor();
        String line;
        do {
            line = told.readLine();
        } while (line != null);
        strace.waitFor();
        return per(ofThreadsThatArm(trace), WARM_UP + TRACED);
    }

    private static Map<String, Long> ofThreadsThatArm(Path trace) throws IOException {
        Map<String, Map<String, Long>> byThread = new TreeMap<>();
        for (String line : Files.readAllLines(trace)) {
            Matcher call = CALL.matcher(line);
            if (call.lookingAt()) {
                byThread.computeIfAbsent(call.group(1), thread -> new TreeMap<>())
                        .merge(call.group(2), 1L, Long::sum);
            }
        }
        Files.delete(trace);
        Map<String, Long> sum = new TreeMap<>();
        for (Map<String, Long> calls : byThread.values()) {
            if (calls.getOrDefault(ARM, 0L) >= TRACED / 50) {
                calls.forEach((name, n) -> sum.merge(name, n, Long::sum));
            }
        }
        return sum;
    }

    Map<String, Double> cCalls(String shape, String how) throws Exception {
        Map<String, Long> few = traced(cCommand(shape, how, TRACED));
        Map<String, Long> many = traced(cCommand(shape, how, 2 * TRACED));
        many.replaceAll((name, n) -> n - few.getOrDefault(name, 0L));
        return per(many, TRACED);
    }

    private static Map<String, Long> traced(String... command) throws Exception {
        Path counts = Files.createTempFile("calls", ".txt");
        List<String> all =
                new ArrayList<>(
                        List.of("strace", "-f", "-c", "-U", "calls,name", "-o", "" + counts));
        all.addAll(List.of(command));
        RxeFigures.run(all.toArray(String[]::new));
        return read(counts);
    }

    private static Map<String, Long> read(Path counts) throws IOException {
        Map<String, Long> calls = new TreeMap<>();
        for (String line : Files.readAllLines(counts)) {
            String[] words = line.strip().split("\\s+", -1);
            if (words.length == 2 && words[0].matches("[0-9]+") && !words[1].equals("total")) {
                calls.put(words[1], Long.parseLong(words[0]));
            }
        }
        Files.delete(counts);
        return calls;
    }

    /** The calls for each of {@code n} round trips, without those made less than once in 50. */
    private static Map<String, Double> per(Map<String, Long> calls, int n) {
        Map<String, Double> each = new TreeMap<>();
        calls.forEach(
                (name, count) -> {
                    if (count >= n / 50) {
                        each.put(name, (double) count / n);
                    }
                });
        return each;
    }

    static String text(Map<String, Double> calls) {
        double sum = calls.values().stream().mapToDouble(Double::doubleValue).sum();
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%.2f:", sum));
        calls.forEach((name, n) -> text.append(String.format(Locale.ROOT, " %s %.2f", name, n)));
        return text.toString();
    }
}
