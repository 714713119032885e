package examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** What the README shows is what is compiled and runs. */
@Timeout(30)
class ReadmeTest {
    private static final Path EXAMPLE = Path.of("src/test/java/examples/Hello.java");

    /** The body of the example's main method stands in the README, word for word. */
    @Test
    void readmeShowsTheExample() throws IOException {
        String indent = " ".repeat(8);
        String body =
                Files.readAllLines(EXAMPLE).stream()
                        .dropWhile(line -> !line.startsWith(indent + "try"))
                        .takeWhile(line -> !line.equals("    }"))
                        .map(line -> line.isBlank() ? line : line.substring(indent.length()))
                        .collect(Collectors.joining("\n"));
        assertThat(body).contains("serve(");
        assertThat(Files.readString(Path.of("README.md"))).contains(body);
    }

    /** The example prints its message. */
    @Test
    void exampleRuns() throws Exception {
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            Hello.main(new String[0]);
        } finally {
            System.setOut(out);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("hello, verbs\n");
    }
}
