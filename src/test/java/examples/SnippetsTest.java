package examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every piece of Java in a document or in the API reference is of an example that is run. */
@Timeout(60)
class SnippetsTest {
    private static final Path EXAMPLES = Path.of("src/test/java/examples");
    private static final Pattern IN_DOCUMENTS =
            Pattern.compile("^ *```java\n(.*?)^ *```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern IN_REFERENCE =
            Pattern.compile("<pre>\\{@code\n(.*?)}</pre>", Pattern.DOTALL);

    @TempDir private Path dir;

    /** Each line of a snippet, in order; it may leave out lines. */
    @Test
    void everySnippetIsOfAnExample() throws IOException {
        List<String> snippets = new ArrayList<>();
        Stream<Path> documents =
                Stream.concat(
                        Stream.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md").map(Path::of),
                        files("docs", ".md"));
        for (Path document : documents.toList()) {
            IN_DOCUMENTS
                    .matcher(Files.readString(document))
                    .results()
                    .forEach(m -> snippets.add(m.group(1)));
        }
        assertThat(snippets).hasSizeGreaterThan(20);
        for (Path source : files("src/main/java", ".java").toList()) {
            IN_REFERENCE
                    .matcher(Files.readString(source))
                    .results()
                    .map(m -> m.group(1).replaceAll("(?m)^ *\\* ?", ""))
                    .filter(snippet -> snippet.contains(";")) // the others are drawings
                    .forEach(snippets::add);
        }
        List<List<String>> examples = new ArrayList<>();
        for (Path source :
                Stream.concat(files(EXAMPLES.toString(), ".java"), files("src/jcstress", ".java"))
                        .toList()) {
            examples.add(lines(Files.readString(source)));
        }
        assertThat(snippets)
                .allSatisfy(
                        snippet ->
                                assertThat(examples)
                                        .as(snippet)
                                        .anyMatch(example -> contains(example, lines(snippet))));
    }

    private static boolean contains(List<String> example, List<String> snippet) {
        int found = 0;
        for (String line : example) {
            if (found < snippet.size() && line.equals(snippet.get(found))) {
                found++;
            }
        }
        return found == snippet.size();
    }

    private static List<String> lines(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    private static Stream<Path> files(String root, String end) throws IOException {
        try (Stream<Path> all = Files.walk(Path.of(root))) {
            return all.filter(file -> file.toString().endsWith(end)).toList().stream();
        }
    }

    /** Those that ReadmeTest does not run. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Handlers | booked 3",
                "Pieces | of a group: SUCCESS;of a group: SUCCESS;in order: true;shared receive 7;"
                        + "reply to peer;request 7;buffers 1",
                "Watching | io.loomverbs:type=Verbs;0.0"
            })
    void runs(String name, String lines) throws Exception {
        List<String> command =
                List.of(
                        "-cp",
                        System.getProperty("java.class.path"),
                        EXAMPLES.resolve(name + ".java").toString());
        String printed = JdkTool.run(dir, Duration.ofSeconds(40), "java", command);
        assertThat(printed.replaceAll("SLF4J.*\n", "")) // Micrometer's
                .isEqualTo(lines.replace(';', '\n') + "\n");
    }

    @Test
    void everyExampleIsRun() throws IOException {
        String runs =
                Files.readString(EXAMPLES.resolve("ReadmeTest.java"))
                        + Files.readString(EXAMPLES.resolve("SnippetsTest.java"));
        List<String> programs =
                files(EXAMPLES.toString(), ".java")
                        .filter(SnippetsTest::isProgram)
                        .map(file -> file.getFileName().toString().replace(".java", ""))
                        .collect(Collectors.toList());
        assertThat(programs)
                .hasSizeGreaterThan(7)
                .allMatch(
                        name ->
                                runs.contains("run(\"" + name + "\"")
                                        || runs.contains("\"" + name + " | "));
    }

    private static boolean isProgram(Path file) {
        try {
            return !file.toString().endsWith("Test.java")
                    && Files.readString(file).contains("public static void main(");
        } catch (IOException e) {
            throw new AssertionError(file.toString(), e);
        }
    }
}
