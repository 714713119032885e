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
import java.util.stream.Collectors;

/** What the README shows is what is compiled and runs. */
@Timeout(60)
class ReadmeTest {
    @TempDir private Path dir;

    private static final Path EXAMPLES = Path.of("src/test/java/examples");

    /** The body of each example's main method stands in the README, word for word. */
    @ParameterizedTest
    @ValueSource(strings = {"Hello", "Channel", "OneSided"})
    void readmeShowsTheExample(String name) throws IOException {
        String indent = " ".repeat(8);
        String body =
                Files.readAllLines(EXAMPLES.resolve(name + ".java")).stream()
                        .dropWhile(line -> !line.startsWith(indent + "try"))
                        .takeWhile(line -> !line.equals("    }"))
                        .map(line -> line.isBlank() ? line : line.substring(indent.length()))
                        .collect(Collectors.joining("\n"));
        assertThat(body).contains(".postSend(");
        assertThat(Files.readString(Path.of("README.md"))).contains("```java\n" + body + "\n```");
    }

    /** Nothing else in the README claims to be Java. */
    @Test
    void everySnippetIsAnExample() throws IOException {
        assertThat(Files.readString(Path.of("README.md")).split("```java", -1)).hasSize(4);
        assertThat(Files.readString(Path.of("docs/getting-started.md"))).doesNotContain("```java");
    }

    /** What the guide shows of a program is compiled and runs, too. */
    @Test
    void guideShowsTheExample() throws Exception {
        String source = Files.readString(EXAMPLES.resolve("Connect.java"));
        String guide = Files.readString(Path.of("docs/guide.md"));
        String section = guide.substring(guide.indexOf("## Connections"));
        String[] shown = section.substring(0, section.indexOf("\n## ")).split("```java\n");
        assertThat(shown).hasSize(3);
        for (int i = 1; i < shown.length; i++) {
            String snippet = shown[i].substring(0, shown[i].indexOf("```"));
            for (String line : snippet.lines().map(String::strip).toList()) {
                assertThat(source).contains(line);
            }
        }
        assertThat(run("Connect", "", "")).isEqualTo("hello to /10.0.0.1:7471\n");
    }

    /** So is what it shows of tests. */
    @Test
    void guideShowsFaults() throws IOException {
        String source = Files.readString(EXAMPLES.resolve("StressTest.java"));
        String guide = Files.readString(Path.of("docs/guide.md"));
        String section = guide.substring(guide.indexOf("## Testing against faults"));
        String snippet = section.split("```java\n", -1)[1].split("```", -1)[0];
        assertThat(snippet).contains("Faults.of(");
        for (String line : snippet.lines().toList()) {
            assertThat(source).contains(line);
        }
    }

    /** And of memory windows. */
    @Test
    void guideShowsAWindow() throws Exception {
        String source = Files.readString(EXAMPLES.resolve("Windows.java"));
        String guide = Files.readString(Path.of("docs/guide.md"));
        String section = guide.substring(guide.indexOf("## Memory windows"));
        String snippet = section.split("```java\n", -1)[1].split("```", -1)[0];
        assertThat(snippet).contains("sendWithInv(");
        for (String line : snippet.lines().map(String::strip).toList()) {
            assertThat(source).contains(line);
        }
        assertThat(run("Windows", "", "")).isEqualTo("true 42\n");
    }

    /** Each recipe is a part of the program, line for line. */
    @Test
    void recipesAreOfTheExample() throws Exception {
        List<String> source =
                Files.readAllLines(EXAMPLES.resolve("Recipes.java")).stream()
                        .map(String::strip)
                        .toList();
        String[] shown = Files.readString(Path.of("docs/recipes.md")).split("```java\n", -1);
        assertThat(shown).hasSize(7);
        for (int i = 1; i < shown.length; i++) {
            List<String> lines =
                    shown[i].substring(0, shown[i].indexOf("```"))
                            .lines()
                            .map(String::strip)
                            .toList();
            List<String> body = lines.stream().filter(line -> !line.equals("}")).toList();
            assertThat(body).hasSizeGreaterThan(4);
            assertThat(source).containsSubsequence(lines);
        }
        assertThat(run("Recipes", "", ""))
                .isEqualTo("answer 21\ncached 42\nsent 100\nbooked 1\nhandled 100\n");
    }

    @Test
    void helloRuns() throws Exception {
        assertThat(run("Hello", "", "")).isEqualTo("hello, verbs\n");
    }

    @Test
    void channelRuns() throws Exception {
        assertThat(run("Channel", "", ""))
                .isEqualTo("my connection: 1 SUCCESS\nmy connection: 2 SUCCESS\n");
    }

    @Test
    void oneSidedRuns() throws Exception {
        assertThat(run("OneSided", "", "")).isEqualTo("SUCCESS 42\n");
    }

    /** A peer that grants no READ refuses it. */
    @Test
    void aRefusedReadIsSaid() throws Exception {
        String granted = "init(Access.REMOTE_WRITE, Access.REMOTE_READ)";
        assertThat(run("OneSided", granted, "init(Access.REMOTE_WRITE)"))
                .isEqualTo("REM_INV_REQ_ERR 0\n");
    }

    /** Without a receive the example reports that nothing arrived, and ends. */
    @Test
    void aForgottenReceiveIsSaid() throws Exception {
        String post = "bob.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(inbox));";
        assertThat(run("Hello", post, "")).isEqualTo("nothing has arrived: is a receive posted?\n");
    }

    /** Without the access right the example prints the status, not the memory. */
    @Test
    void anErrorIsSaid() throws Exception {
        assertThat(run("Hello", "64, Access.LOCAL_WRITE", "64")).isEqualTo("LOC_PROT_ERR\n");
    }

    /** A module that requires loomverbs, and nothing else, is compiled without a warning. */
    @Test
    void aModuleNeedsNothingElse() throws Exception {
        Path info = dir.resolve("module-info.java");
        Path source = dir.resolve("User.java");
        Files.writeString(info, "module user { requires io.loomverbs; }");
        Files.writeString(
                source,
                """
                package user;
                final class User {
                    public static void main(String[] args) {
                        System.out.println(io.loomverbs.Verbs.unavailabilityCause());
                    }
                }
                """);
        String out = dir.resolve("out").toString();
        List<String> options = List.of("-Xlint:all", "-Werror", "-p", "target/classes", "-d", out);
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of(info.toString(), source.toString()));
        assertThat(java("javac", arguments)).isEmpty();
    }

    /** Runs an example as a newcomer does, from its source, with something replaced. */
    private String run(String name, String replaced, String by) throws Exception {
        String source = Files.readString(EXAMPLES.resolve(name + ".java"));
        assertThat(source).contains(replaced);
        Path changed = Files.createDirectory(dir.resolve("examples")).resolve(name + ".java");
        Files.writeString(changed, source.replace(replaced, by));
        return java("java", List.of("-cp", "target/classes", changed.toString()));
    }

    private String java(String tool, List<String> arguments) throws Exception {
        return JdkTool.run(dir, Duration.ofSeconds(40), tool, arguments);
    }
}
