package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AtomicCapability;
import io.loomverbs.Context;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.Mtu;
import io.loomverbs.QpType;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The commands, in this process, with small numbers; and a signal, in another. */
@Timeout(60)
class CommandsTest {
    private record Outcome(int status, String out, String err) {}

    private static Outcome run(String commandLine) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Main.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        int status = commands.execute(commandLine.split(" "));
        return new Outcome(status, out.toString(), err.toString());
    }

    /** The device's limits are printed as ibv_devinfo names them. */
    @Test
    void devinfoPrintsLimits() {
        Outcome outcome = run("devinfo -v");
        assertThat(outcome.status()).isZero();
        assertThat(outcome.out())
                .contains("hca_id:\tsoft0", "max_cqe:", "num_comp_vectors:", "GID[");
    }

    /** Each transport plays, with events and polling, and finds its payload as it was sent. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "RC -e",
                "UC -e",
                "UD -e",
                "rc",
                "RC --wait adaptive",
                "UC --wait events",
                "UD -w polling"
            })
    void pingpongPlays(String how) {
        Outcome outcome = run("pingpong --warm-up 700 --chk -n 200 -s 256 --type " + how);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .containsPattern("warmed up with 700 iters in \\d.* seconds, which do not count")
                .contains("usec/iter", "400 payloads were as they were sent");
    }

    /** Both ends find each other by address and port. */
    @ParameterizedTest
    @ValueSource(strings = {"-e", "--wait adaptive 10.9.8.7", "", "-s 100000 -e -r 2 --local"})
    void pingpongPlaysByAddress(String how) {
        Outcome outcome = run("pingpong --cm --warm-up 100 --chk -n 200 -p 7471 " + how);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .contains(how.contains("10.9") ? "address: /10.9.8.7:7471" : "/10.0.0.1:7471")
                .contains("usec/iter", "400 payloads were as they were sent");
    }

    /** One JSON object says how the ends waited, and what the warm-up was. */
    @ParameterizedTest
    @CsvSource({
        "--wait adaptive, adaptive",
        "--wait EVENTS, events",
        "-w polling, polling",
        "-e, getCqEvent",
        "--no-percentiles, poll"
    })
    void pingpongPrintsJson(String how, String waits) {
        Outcome outcome = run("pingpong --json --warm-up 500 --chk -n 200 " + how);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("warmed up with 500 iters");
        assertThat(outcome.out())
                .matches("\\{\"device\":\"soft0\",[^\\n]*}\n")
                .contains("\"wait\":\"" + waits + "\",\"iters\":200,\"warmUpIters\":500,")
                .contains(
                        how.equals("--no-percentiles")
                                ? "\"roundTripMicros\":null,"
                                : "\"roundTripMicros\":{\"p50\":")
                .contains("\"checkedPayloads\":400,");
    }

    /** None is a choice, and then nothing is said of it. */
    @Test
    void pingpongWithoutWarmUp() {
        Outcome outcome = run("pingpong --warm-up 0 -n 100 -e");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("100 iters in").doesNotContain("warm");
    }

    /** However many round trips were asked for, it ends in time. */
    @Test
    void aWarmUpIsBounded() throws Exception {
        PingpongPlan plan =
                new PingpongPlan(
                        QpType.RC, 64, 1, 1, true, null, false, false, 1, Mtu.MTU_1024, -1, 0);
        try (Context context = Verbs.device("soft0").open()) {
            PingpongWarmUp warm =
                    PingpongWarmUp.play(context, plan, Integer.MAX_VALUE, Duration.ofMillis(50));
            assertThat(warm.iters()).isBetween(1, Integer.MAX_VALUE - 1);
            assertThat(warm.seconds()).isGreaterThanOrEqualTo(0.05);
            assertThat(PingpongWarmUp.play(context, plan, 0, Duration.ofSeconds(1)).iters())
                    .isZero();
        }
    }

    /** Both ends of an rping on an embedded device. */
    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void rpingPlays(String device) {
        Outcome outcome = run("rping -v -V -C 3 -S 100 -p 0 --device " + device);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out().lines()).hasSize(3);
        assertThat(outcome.out()).contains("ping data: rdma-ping-2: CDEFGH");
    }

    /** Two ends that find each other over TCP, in one process, play as the C programs do. */
    @ParameterizedTest
    @CsvSource({
        "RC, true, 256, 500",
        "UC, true, 256, 500",
        "UD, true, 256, 500",
        "RC, false, 256, 500",
        "RC, true, 10000, 2"
    })
    void pingpongPlaysWithAnother(QpType type, boolean events, int size, int rxDepth)
            throws Exception {
        PingpongPlan plan =
                new PingpongPlan(
                        type, size, 200, rxDepth, events, null, true, true, 1, Mtu.MTU_1024, -1, 0);
        List<String> told = new CopyOnWriteArrayList<>();
        int port = freePort();
        try (Context context = Verbs.device("soft0").open()) {
            FutureTask<Pingpong.Result> serving =
                    new FutureTask<>(() -> new Pingpong(context, plan, told::add).server(port));
            Thread.ofPlatform().start(serving);
            Pingpong.Result client = null;
            while (client == null && !serving.isDone()) {
                try {
                    client = new Pingpong(context, plan, told::add).client("localhost", port);
                } catch (ConnectException e) {
                    // Until the server listens.
                }
            }
            assertThat(serving.get(30, TimeUnit.SECONDS).seconds()).isPositive();
            assertThat(client).isNotNull();
            assertThat(client.roundTripNanos().getTotalCount()).isPositive();
            assertThat(told)
                    .anyMatch(line -> line.startsWith("  local address:  LID 0x0001, QPN 0x"))
                    .anyMatch(line -> line.startsWith("  remote address: LID"));
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Without a server there is a reason. */
    @Test
    void pingpongWithoutServer() throws Exception {
        int port = freePort();
        PingpongPlan plan =
                new PingpongPlan(
                        QpType.RC, 64, 1, 1, false, null, false, false, 1, Mtu.MTU_1024, -1, 0);
        try (Context context = Verbs.device("soft0").open()) {
            Pingpong pingpong = new Pingpong(context, plan, line -> {});
            assertThatThrownBy(() -> pingpong.client("localhost", port))
                    .hasMessage("no server answers at localhost, port " + port);
        }
    }

    /** A device with fewer queue pairs than CQs limits a storm as well: it needs one a CQ. */
    @Test
    void stormNeedsAQueuePairForEachCq() throws Exception {
        CommandLine commands = Main.commandLine();
        commands.parseArgs("storm", "--cqs", "1000");
        StormCommand command = commands.getSubcommands().get("storm").getCommand();
        assertThatThrownBy(() -> command.plan(limits(1000, 999)))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasMessage("--cqs is 1000, but must be 1 to 999: max_qp of soft0, one a CQ");
        assertThat(command.plan(limits(1000, 1000)).cqs()).isEqualTo(1000);
    }

    private static DeviceAttributes limits(int maxCq, int maxQp) {
        return new DeviceAttributes(
                "1",
                1,
                1,
                1L << 40,
                4096,
                0,
                0,
                0,
                maxQp,
                1024,
                0,
                4,
                4,
                maxCq,
                1024,
                1024,
                16,
                16,
                16,
                16,
                16,
                16,
                16,
                16,
                16,
                64,
                AtomicCapability.HCA,
                0,
                0,
                0,
                1,
                0,
                1,
                1);
    }

    /** Progress ends with the whole time, however few CQs there are. */
    @Test
    void progressEndsWithAllMessages() {
        Outcome outcome = run("storm --cqs 1 --seconds 2");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("storm: 2 s, ").contains(" messages, ");
        assertThat(outcome.out()).contains("heap with storm's state");
    }

    /**
     * A storm loses nothing, and its JSON says so, under either delivery, with churn and without.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--delivery direct",
                "--delivery direct --churn",
                "--wait adaptive --churn",
                "--wait polling --churn",
                "--wait events --window 4",
                "--delivery channel --channels 3 --churn",
                "--delivery channel --channels 51 --window 4"
            })
    void stormLosesNothing(String how) {
        Outcome outcome = run("storm --json --cqs 51 --seconds 1 " + how);
        assertThat(outcome.status()).as(outcome.out() + outcome.err()).isZero();
        assertThat(outcome.out())
                .startsWith("{\"cqs\":51,")
                .contains("\"handlers\":51,", "\"lost\":0,", "\"duplicated\":0,")
                .contains("\"corrupted\":0,", "\"unacked\":0,", "\"queueingMicros\":{\"p50\":")
                .contains("\"heapBytesPerHandler\":", "\"failures\":[]}");
        assertThat(outcome.out())
                .contains(
                        how.startsWith("--wait")
                                ? "\"wait\":\"" + how.split(" ", -1)[1] + "\","
                                : "\"wait\":\"getCqEvent\",");
        if (how.contains("--churn")) {
            assertThat(outcome.out()).doesNotContain("\"destroyed\":0,");
        }
    }

    /** Thousands of things, 1024s of bytes. */
    @ParameterizedTest
    @CsvSource({
        "--cqs 2000k, '--cqs is 2000000, but'",
        "--cqs 1K --size 2M, '--size is 2097152, but'",
        "--size 1k1, '--size': '1k1' is not a number",
        "--cqs 3g, '3g' is more than 2147483647",
        "--cqs 999999999999999999g, is more than 2147483647",
    })
    void numbersMayEndInALetter(String options, String told) {
        Outcome outcome = run("storm " + options);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err()).contains(told);
    }

    /** Each help tells what the exit status means, and needs no more than 80 columns. */
    @Test
    void everyHelpTellsTheExitStatus() {
        for (String name : Main.commandLine().getSubcommands().keySet()) {
            String help = run("help " + name).out();
            assertThat(help).as(name).contains("Exit status:", "130   ended by Ctrl-C");
            assertThat(help.lines())
                    .as(name)
                    .allMatch(line -> line.length() <= 80)
                    .noneMatch(line -> line.matches("[a-z]+,?")); // what was wrapped
        }
    }

    /** A page for each command, which has what its help has, in requests that man(7) knows. */
    @Test
    void everyCommandHasAManPage(@TempDir Path dir) throws Exception {
        Outcome outcome = run("man --out " + dir);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out().lines().map(Path::of)).allMatch(Files::isRegularFile);
        for (String name : Main.commandLine().getSubcommands().keySet()) {
            String page = Files.readString(dir.resolve("loomverbs-" + name + ".1"));
            assertThat(page)
                    .startsWith(".TH LOOMVERBS-" + name.toUpperCase(Locale.ROOT) + " 1 ")
                    .contains("\nloomverbs\\-" + name + " \\- ")
                    .containsSubsequence(".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS");
            assertThat(page.lines().filter(line -> line.startsWith(".")))
                    .allMatch(line -> line.matches("\\.(TH|SH) .*|\\.in 3n|\\.nf|\\.fi"));
            assertThat(page.lines().dropWhile(line -> !line.equals(".SH SYNOPSIS")))
                    .as("indented by 3, in 80 columns")
                    .allMatch(line -> line.replaceAll("\\\\[e-]", "-").length() <= 77);
        }
        assertThat(run("man storm").out())
                .isEqualTo(Files.readString(dir.resolve("loomverbs-storm.1")))
                .contains("\\-\\-cqs", "130   ended by Ctrl\\-C")
                .contains(".SH NOTES\n.in 3n\n.nf\nThe table:\n")
                .contains(".SH EXAMPLES\n.in 3n\n.nf\nloomverbs storm \\-\\-churn\n");
        assertThat(run("man").out()).contains(".SH COMMANDS", "\nstorm ");
        assertThat(run("man tempest").err())
                .startsWith("COMMAND is tempest, but must be one of [devinfo, ");
        assertThat(run("man --out " + dir + " storm").status()).isEqualTo(2);
    }

    /** The guide's table has each command. */
    @Test
    void everyCommandIsInTheGuide() throws Exception {
        String guide = Files.readString(Path.of("docs/guide.md"));
        for (String name : Main.commandLine().getSubcommands().keySet()) {
            assertThat(guide)
                    .as(name)
                    .containsAnyOf("\n| `" + name + "` |", "`./loomverbs " + name);
        }
    }

    /** Programs can read what commands print, but for what is for a shell, man and people. */
    @Test
    void everyCommandPrintsJson() {
        Set<String> others = Set.of("help", "completion", "man");
        Main.commandLine()
                .getSubcommands()
                .forEach(
                        (name, command) -> {
                            if (!others.contains(name)) {
                                assertThat(command.getCommandSpec().optionsMap())
                                        .as(name)
                                        .containsKey("--json");
                            }
                        });
    }

    /** What a shell loads knows every command. */
    @Test
    void aShellCanCompleteCommands() {
        String script = run("completion").out();
        assertThat(script).contains("complete -F _complete_loomverbs");
        assertThat(script).contains(Main.commandLine().getSubcommands().keySet());
        assertThat(script).contains("'--wait'", "\"EVENTS\" \"POLLING\" \"ADAPTIVE\"");
    }

    /** Numbers are written in one way in every country: programs read them. */
    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "de-DE", "hi-IN-u-nu-deva", "tr-TR"})
    void numbersDoNotDependOnTheLocale(String language) {
        String printed =
                in(
                        language,
                        () ->
                                run("devinfo -v").out()
                                        + run("pingpong -n 100 -e --chk").out()
                                        + run("storm --cqs 2 --seconds 1 --json").out()
                                        + run("storm --cqs 2 --seconds 1")
                                        + run("storm --cqs 2000000").err());
        assertThat(printed)
                .matches("\\p{ASCII}*")
                .contains("GID[  0]:", "is 2000000, but")
                .containsPattern("100 iters in \\d+\\.\\d\\d seconds")
                .containsPattern("\"seconds\":\\d+\\.\\d{3},");
    }

    /** In one country only: it takes seconds. */
    @Test
    void heapsDoNotDependOnTheLocale() {
        assertThat(in("ar-EG", () -> run("idle --handlers 1000").toString()))
                .matches("\\p{ASCII}*")
                .contains("1,000 handlers, ");
    }

    private static String in(String language, Supplier<String> printed) {
        Locale usual = Locale.getDefault();
        Locale usualFormat = Locale.getDefault(Locale.Category.FORMAT);
        try {
            Locale.setDefault(Locale.forLanguageTag(language));
            return printed.get();
        } finally {
            Locale.setDefault(usual);
            Locale.setDefault(Locale.Category.FORMAT, usualFormat);
        }
    }

    /** What could not be printed is not taken for done. */
    @Test
    void aFullDiskIsAFailure(@TempDir Path dir) throws Exception {
        Path err = dir.resolve("err");
        Process devinfo =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "devinfo")
                        .redirectOutput(new File("/dev/full"))
                        .redirectError(err.toFile())
                        .start();
        try {
            assertThat(devinfo.waitFor(50, TimeUnit.SECONDS)).isTrue();
            assertThat(devinfo.exitValue()).isEqualTo(1);
            assertThat(err).content().contains("failed: standard output could not be written");
        } finally {
            devinfo.destroyForcibly();
        }
    }

    /** Idle handlers are counted, and all of them answer. */
    @Test
    void idleHandlersAnswer() {
        assertThat(run("idle --handlers 2000 --json").out()).contains("\"answered\":2000,");
    }

    /** What is wrong with an option is said in a line that names it, its value and the limit. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "storm --cqs 0|--cqs is 0, but must be 1 to 262144: max_cq of soft0",
                "storm --cqs 262145|--cqs is 262145, but must be 1 to 262144: max_cq of soft0",
                "storm --seconds -1|--seconds is -1, but must be 1 to 86400",
                "storm --size 8|--size is 8, but must be 32 to",
                "storm --delivery channel --cqs 4 --channels 5|--channels is 5, but must be 1 to 4",
                "storm --channels 5|--channels needs --delivery channel",
                "storm --delivery channel --wait polling|--wait needs --delivery direct",
                "storm --wait sleeping|expected one of [EVENTS, POLLING, ADAPTIVE]",
                "pingpong -e --wait adaptive|--wait is ADAPTIVE, but with -e the ends wait with",
                "pingpong --wait sometimes|expected one of [EVENTS, POLLING, ADAPTIVE]",
                "pingpong --warm-up -1|--warm-up is -1, but must be 0 to",
                "storm --cqs many|'many' is not a number, such as 4096, 64k or 1m",
                "pingpong --type UD -s 5000|--size is 5000, but must be 1 to 4096",
                "pingpong -m 1000|--mtu is 1000, but must be one of [256, 512, 1024, 2048, 4096]",
                "pingpong -i 2|--ib-port is 2, but must be 1 to 1: the ports of soft0",
                "pingpong -g 1|--gid-idx is 1, but must be -1 to 0",
                "pingpong -p 70000|--port is 70000, but must be 1 to 65535",
                "pingpong elsewhere|HOST is elsewhere, but soft0 exists in one process only",
                "pingpong --no-local|--no-local was given, but soft0 exists in one process only",
                "pingpong -d mlx9_9|--device: name is \"mlx9_9\", but the devices are [soft0",
                "pingpong --cm --type UD|--type is UD, but --cm connects queue pairs of type RC",
                "pingpong --cm -g 0|--gid-idx was given, but with --cm the connection manager",
                "pingpong --cm -m 1024|--mtu was given, but with --cm the connection manager",
                "pingpong --cm --no-local|--no-local was given, but soft0 exists in one process"
                        + " only",
                "pingpong --cm --local -d strict0|HOST is missing: with --cm and --local",
                "rping|one of -s and -c must be given, or --device soft0",
                "rping -s -c|one of -s and -c must be given",
                "rping -c|-a is missing",
                "rping -s --device soft0|on an embedded device both ends are in this process",
                "rping --device soft0 -S 22|-S is 22, but must be 23 to 65535: as rping has it",
                "rping --device soft0 -S 65536|-S is 65536, but must be 23 to 65535",
                "rping --device soft0 -p 65536|-p is 65536, but must be 0 to 65535",
                "rping --device mlx9_9|--device: name is \"mlx9_9\", but the devices are [soft0",
                "idle --handlers 262145|--handlers is 262145, but must be 1 to 262144: max_cq of"
                        + " soft0",
                "storm --cq 100|unknown option: --cq",
                "storm --cq 100|--cqs",
                "strom|Did you mean: loomverbs storm",
                "tempest|unknown command: tempest",
                "storm 100|unexpected argument: 100"
            })
    void wrongOptionsAreNamed(String commandLine, String message) {
        Outcome outcome = run(commandLine);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err()).contains(message).doesNotContain("\tat ");
    }

    /**
     * A signal ends a storm early, with the table so far and the status of that signal. Not SIGINT,
     * which is ignored by whatever a shell runs in the background; the hook that prints is the
     * same.
     */
    @Test
    void interruptedStormPrintsItsTable() throws Exception {
        Process storm =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "storm",
                                "--cqs",
                                "20",
                                "--seconds",
                                "600")
                        .redirectErrorStream(true)
                        .start();
        try {
            // Past the warm-up, from when on a signal finds something to end.
            BufferedReader reader = storm.inputReader(StandardCharsets.UTF_8);
            String line = reader.readLine();
            while (line != null && !line.startsWith("storm: ")) {
                line = reader.readLine();
            }
            new ProcessBuilder("kill", "-TERM", Long.toString(storm.pid())).start().waitFor();
            assertThat(storm.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(String.join("\n", reader.readAllLines()))
                    .contains("messages", "interrupted; all was well so far");
            assertThat(storm.exitValue()).isEqualTo(143);
        } finally {
            storm.destroyForcibly();
        }
    }
}
