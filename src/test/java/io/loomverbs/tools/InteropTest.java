package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code loomverbs pingpong} and the programs of rdma-core, either of them as the server: RC, UC
 * and UD, with events and without, payloads checked on both sides.
 */
@Tag("rdma")
@Timeout(60)
class InteropTest {
    private static final String DEVICE = System.getProperty("loomverbs.device", "none named");
    private static final int PORT = 18515;
    private static final int PATIENCE_SECONDS = 20;
    private static final int STILL_RUNNING = -1;

    private final List<Process> started = new ArrayList<>();

    /** How a ping-pong is played. Peers that poll take turns on the guest's one CPU. */
    record Play(String type, int size, int iters, boolean events) {
        String options() {
            return "-p %d -d %s -s %d -n %d -c%s"
                    .formatted(PORT, DEVICE, size, iters, events ? " -e" : "");
        }

        String program() {
            return "ibv_" + type.toLowerCase(Locale.ROOT) + "_pingpong";
        }
    }

    static Stream<Play> plays() {
        return Stream.of(
                new Play("RC", 64, 300, true),
                new Play("RC", 10_000, 100, true),
                new Play("RC", 4096, 50, false),
                new Play("UC", 64, 300, true),
                new Play("UC", 3000, 50, false),
                new Play("UD", 1024, 300, true),
                new Play("UD", 64, 50, false));
    }

    @AfterEach
    void nothingIsLeft() {
        started.forEach(Process::destroyForcibly);
    }

    /** A program in C, with what it prints in a file of its own. */
    private record Program(Process process, Path out) {
        int status() throws InterruptedException {
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return ended ? process.exitValue() : STILL_RUNNING;
        }

        String printed() throws IOException {
            return Files.readString(out, StandardCharsets.UTF_8);
        }
    }

    private Program start(String commandLine) throws IOException {
        Path out = Files.createTempFile("interop", ".out");
        out.toFile().deleteOnExit();
        Process process =
                new ProcessBuilder(commandLine.split(" "))
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        started.add(process);
        return new Program(process, out);
    }

    /** The index of the GID that loomverbs takes, for programs that take none by themselves. */
    private static String gid() throws IOException {
        Path gids = Path.of("/sys/class/infiniband", DEVICE, "ports/1/gids");
        for (int i = 0; Files.exists(gids.resolve(String.valueOf(i))); i++) {
            if (Files.readString(gids.resolve(String.valueOf(i)))
                    .startsWith("0000:0000:0000:0000:0000:ffff:")) {
                return " -g " + i;
            }
        }
        return "";
    }

    private record Command(FutureTask<Integer> task, StringWriter out, StringWriter err) {
        int status() throws Exception {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }

        String printed() {
            return out.toString() + err;
        }
    }

    private static Command loomverbs(String arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Main.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        FutureTask<Integer> task = new FutureTask<>(() -> commands.execute(arguments.split(" ")));
        Thread.ofPlatform().daemon().name("loomverbs").start(task);
        return new Command(task, out, err);
    }

    /** A client in C finds our server, and both see whole payloads. */
    @ParameterizedTest
    @MethodSource("plays")
    void aClientInC(Play play) throws Exception {
        Command server = loomverbs("pingpong --type " + play.type() + " " + play.options());
        long start = System.nanoTime();
        while (!server.printed().contains("local address") && !server.task().isDone()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_SECONDS * 1_000_000_000L);
            Thread.sleep(5);
        }
        Program client = start(play.program() + gid() + " " + play.options() + " 127.0.0.1");
        int status = client.status();
        assertThat(status).as("C: %s%nours: %s", client.printed(), server.printed()).isZero();
        assertThat(server.status()).as(server.printed()).isZero();
        assertThat(client.printed()).contains(play.iters() + " iters in ");
        assertThat(server.printed())
                .contains(play.iters() + " iters in ")
                .contains(play.iters() + " payloads were as they were sent");
    }

    /** Our client finds a server in C, which sends back what it gets, and finds it valid. */
    @ParameterizedTest
    @MethodSource("plays")
    void aServerInC(Play play) throws Exception {
        Program server = start(play.program() + gid() + " " + play.options());
        Command client;
        do {
            client =
                    loomverbs(
                            "pingpong --type " + play.type() + " " + play.options() + " 127.0.0.1");
            client.status();
            // Until it listens.
        } while (client.printed().contains("no server answers") && server.process().isAlive());
        assertThat(client.status())
                .as("ours: %s%nC: %s", client.printed(), server.printed())
                .isZero();
        assertThat(server.status()).as(server.printed()).isZero();
        assertThat(server.printed())
                .contains(play.iters() + " iters in ")
                .doesNotContain("invalid data");
        assertThat(client.printed()).contains(play.iters() + " payloads were as they were sent");
    }
}
