package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
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
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final NativePrograms programs = new NativePrograms(PATIENCE);

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
        programs.close();
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

    private static CommandRun loomverbs(String arguments) {
        return CommandRun.start(arguments, PATIENCE);
    }

    /** A client in C finds our server, and both see whole payloads. */
    @ParameterizedTest
    @MethodSource("plays")
    void aClientInC(Play play) throws Exception {
        CommandRun server = loomverbs("pingpong --type " + play.type() + " " + play.options());
        long start = System.nanoTime();
        while (!server.printed().contains("local address") && !server.task().isDone()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE.toNanos());
            Thread.sleep(5);
        }
        NativePrograms.Program client =
                programs.start(play.program() + gid() + " " + play.options() + " 127.0.0.1");
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
        NativePrograms.Program server =
                programs.start(play.program() + gid() + " " + play.options());
        CommandRun client;
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
