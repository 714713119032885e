package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process of ours that is killed in mid-transfer with rping of librdmacm: the kernel ends its
 * connection, so the program ends, and nothing of it is left.
 */
@Tag("rdma")
@Timeout(240)
class KilledProcessTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String HOST = Fixture.host().getHostAddress();
    private static final String DATA = "ping data: rdma-ping-20: ";

    private static final Pattern QUEUE_PAIRS = Pattern.compile(" qp (\\d+) ");

    private static int nextPort = 7500;

    private final int port = nextPort++;
    private final NativePrograms programs = new NativePrograms(PATIENCE);

    @AfterEach
    void nothingIsLeft() {
        programs.close();
    }

    private String at() {
        return " -a " + HOST + " -p " + port;
    }

    /** {@code ./loomverbs}, in a process of its own. */
    private NativePrograms.Program ours(String arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add(ChildJvm.NATIVE_ACCESS);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        command.addAll(List.of(arguments.split(" ")));
        return programs.start(command);
    }

    private static void eventuallyPrinted(NativePrograms.Program program, String text)
            throws IOException {
        long start = System.nanoTime();
        while (!program.printed().contains(text)) {
            assertThat(System.nanoTime() - start)
                    .as("%s: %s", text, program.printed())
                    .isLessThan(PATIENCE.toNanos());
            assertThat(program.process().isAlive()).as(program.printed()).isTrue();
            sleep();
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** How many domains, CQs, queue pairs, ids and regions there are, of all processes. */
    private static String kernelObjects() {
        try {
            Process rdma =
                    new ProcessBuilder("rdma", "resource", "show", Fixture.DEVICE)
                            .redirectErrorStream(true)
                            .start();
            return new String(rdma.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int queuePairs(String objects) {
        Matcher counted = QUEUE_PAIRS.matcher(objects);
        assertThat(counted.find()).as(objects).isTrue();
        return Integer.parseInt(counted.group(1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ourEndIsKilled(boolean isServer) throws Exception {
        String before = kernelObjects();
        int queuePairs = queuePairs(before);
        NativePrograms.Program ours;
        NativePrograms.Program theirs;
        if (isServer) {
            ours = ours("rping -s -v" + at());
            eventuallyPrinted(ours, "listening at");
            theirs = programs.start("rping -c -C 1000000" + at());
        } else {
            theirs = programs.start("rping -s" + at());
            ours = ours("rping -c -v -C 1000000" + at());
        }
        eventuallyPrinted(ours, DATA);
        assertThat(queuePairs(kernelObjects())).isEqualTo(queuePairs + 2);
        kill(ours);
        assertThat(theirs.process().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("still running: %s", theirs.printed())
                .isTrue();
        Fixture.eventually("as before: " + before, () -> kernelObjects().equals(before));

        // The port is free, and the next connection works.
        CommandRun server = CommandRun.start("rping -s" + at(), PATIENCE);
        Fixture.eventually("listening", () -> server.printed().contains("listening at"));
        NativePrograms.Program client = programs.start("rping -c -V -C 5" + at());
        assertThat(client.status()).as(client.printed()).isZero();
        assertThat(server.status()).as(server.printed()).isZero();
    }

    private static void kill(NativePrograms.Program program) throws Exception {
        String pid = Long.toString(program.process().pid());
        new ProcessBuilder("kill", "-9", pid).start().waitFor();
        assertThat(program.process().waitFor()).isEqualTo(128 + 9);
    }
}
