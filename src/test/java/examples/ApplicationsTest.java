package examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The applications in {@code src/examples} are compiled without a warning, run, and are short. */
@Timeout(120)
class ApplicationsTest {
    private static final Path SOURCES = Path.of("src/examples/java");

    @TempDir private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"EchoServer", "KeyValueStore", "FileTransfer"})
    void itIsCompiledWithoutWarningsAndShort(String name) throws Exception {
        Path source = SOURCES.resolve(name + ".java");
        assertThat(Files.readAllLines(source)).hasSizeLessThan(200);
        assertThat(Files.readString(Path.of("README.md"))).contains(source.toString());
        List<String> options = List.of("-Xlint:all", "-Werror", "-cp", "target/classes", "-d");
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of(dir.toString(), source.toString()));
        assertThat(run("javac", arguments)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void echoServerAnswersEveryConnection(String device) throws Exception {
        assertThat(start("EchoServer", "500", "4", device))
                .contains("500 connections in")
                .contains("2000 messages came back, in order");
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void keyValueStoreIsConsistent(String device) throws Exception {
        assertThat(start("KeyValueStore", "100", "0.5", device))
                .contains("100 threads:")
                .contains("every value was consistent");
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void fileTransferCopies(String device) throws Exception {
        Path source = file(3_000_000);
        Path target = dir.resolve("target");
        assertThat(start("FileTransfer", source.toString(), target.toString(), "1000", device))
                .contains("100 %")
                .contains("the sender has sent 3000000 bytes")
                .contains("the receiver has written 3000000 bytes");
        assertThat(target).hasSameBinaryContentAs(source);
    }

    /** A peer that dies leaves an error that says so, and no thread that waits. */
    @Test
    void fileTransferSurvivesItsPeer() throws Exception {
        Path source = file(3_000_000);
        String target = dir.resolve("target").toString();
        assertThat(start("FileTransfer", source.toString(), target, "5"))
                .containsPattern("the peer (is gone|does not answer) after [0-9]+ bytes")
                .contains("the receiver has failed: died after 327680 bytes");
    }

    private Path file(int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(1).nextBytes(content);
        return Files.write(dir.resolve("source"), content);
    }

    /** Runs an application as the README says. */
    private String start(String name, String... words) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("-cp", "target/classes"));
        arguments.add(SOURCES.resolve(name + ".java").toString());
        arguments.addAll(List.of(words));
        return run("java", arguments);
    }

    private String run(String tool, List<String> arguments) throws Exception {
        return JdkTool.run(dir, Duration.ofSeconds(60), tool, arguments);
    }
}
