package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

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
    @ValueSource(strings = {"RC -e", "UC -e", "UD -e", "rc"})
    void pingpongPlays(String how) {
        Outcome outcome = run("pingpong --chk -n 200 -s 256 --type " + how);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("usec/iter", "400 payloads were as they were sent");
    }

    /** Two commands that find each other over TCP play as the C programs do. */
    @ParameterizedTest
    @ValueSource(strings = {"RC -e", "UC -e", "UD -e", "RC", "RC -e -s 10000 -m 256 -r 2"})
    void pingpongPlaysWithAnother(String how) throws Exception {
        String options = "pingpong --no-local -d soft0 -c -n 200 -p " + freePort() + " --type ";
        FutureTask<Outcome> serving = new FutureTask<>(() -> run(options + how));
        Thread.ofPlatform().start(serving);
        Outcome client;
        do {
            // Until the server listens.
            client = run(options + how + " localhost");
        } while (client.err().contains("no server answers") && !serving.isDone());
        Outcome server = serving.get(30, TimeUnit.SECONDS);
        assertThat(client.status()).as(client.err()).isZero();
        assertThat(server.status()).as(server.err()).isZero();
        for (Outcome outcome : List.of(client, server)) {
            assertThat(outcome.out())
                    .contains("  local address:  LID 0x0001, QPN 0x", "  remote address: LID")
                    .contains("usec/iter", "200 payloads were as they were sent");
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Without a server there is a reason, not a stack trace. */
    @Test
    void pingpongWithoutServer() throws Exception {
        int port = freePort();
        Outcome outcome = run("pingpong -p " + port + " localhost");
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.err())
                .contains("no server answers at localhost, port " + port)
                .doesNotContain("\tat ");
    }

    /**
     * A storm loses nothing, and its JSON says so, under either delivery, with churn and without.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--delivery direct",
                "--delivery direct --churn",
                "--delivery channel --channels 3 --churn",
                "--delivery channel --channels 51 --window 4"
            })
    void stormLosesNothing(String how) {
        Outcome outcome = run("storm --json --cqs 51 --seconds 1 " + how);
        assertThat(outcome.status()).as(outcome.out() + outcome.err()).isZero();
        assertThat(outcome.out())
                .startsWith("{\"cqs\":51,")
                .contains("\"handlers\":51,", "\"lost\":0,", "\"duplicated\":0,")
                .contains("\"corrupted\":0,", "\"unacked\":0,", "\"wakeMicros\":{\"p50\":")
                .contains("\"heapBytesPerHandler\":", "\"failures\":[]}");
        if (how.contains("--churn")) {
            assertThat(outcome.out()).doesNotContain("\"destroyed\":0,");
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
                "storm --channels 5|--channels goes with --delivery channel",
                "storm --cqs many|'many' is not an int",
                "pingpong --type UD -s 5000|--size is 5000, but must be 1 to 4096",
                "pingpong -m 1000|--mtu is 1000, but must be one of [256, 512, 1024, 2048, 4096]",
                "pingpong -i 2|--ib-port is 2, but must be 1 to 1: the ports of soft0",
                "pingpong -g 1|--gid-idx is 1, but must be -1 to 0",
                "pingpong -p 70000|--port is 70000, but must be 1 to 65535",
                "pingpong --local elsewhere|HOST is elsewhere, but with --local both ends are here",
                "pingpong -d mlx9_9|--device is mlx9_9, but the devices are [soft0",
                "idle --handlers 0|--handlers is 0, but must be 1 to",
                "tempest|Unmatched argument"
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
            assertThat(storm.waitFor(8, TimeUnit.SECONDS)).isFalse();
            new ProcessBuilder("kill", "-TERM", Long.toString(storm.pid())).start().waitFor();
            assertThat(storm.waitFor(30, TimeUnit.SECONDS)).isTrue();
            String printed =
                    new String(storm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(printed).contains("messages", "interrupted; all was well so far");
            assertThat(storm.exitValue()).isEqualTo(143);
        } finally {
            storm.destroyForcibly();
        }
    }
}
