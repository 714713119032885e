package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Colours are for terminals: not for pipes, and not with NO_COLOR. */
@Timeout(120)
class TerminalTest {
    private static final Path SCRIPT = Path.of("/usr/bin/script");
    private static final String ESCAPE = "\033[";
    private static final String COMMAND = "exec \"$JAVA\" io.loomverbs.tools.Main ";

    @TempDir Path folder;

    private String onTerminal(String command, Map<String, String> environment)
            throws IOException, InterruptedException {
        assertThat(Files.isExecutable(SCRIPT))
                .as("%s makes a terminal. This installs it: apt-get install bsdutils", SCRIPT)
                .isTrue();
        return run(
                List.of(
                        SCRIPT.toString(),
                        "--quiet",
                        "--return",
                        "--command",
                        COMMAND + command,
                        "/dev/null"),
                environment);
    }

    private String throughAPipe(String command) throws IOException, InterruptedException {
        return run(List.of("/bin/sh", "-c", COMMAND + command + " 2>&1 | cat"), Map.of());
    }

    private String run(List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        Path printed = folder.resolve("printed");
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
        builder.environment().remove("NO_COLOR");
        builder.environment().put("TERM", "xterm-256color");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment()
                .put("JAVA", Path.of(System.getProperty("java.home"), "bin", "java").toString());
        builder.environment().putAll(environment);
        Process process =
                builder.redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(printed.toFile())
                        .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(printed);
    }

    @Test
    void helpHasColoursOnATerminalOnly() throws Exception {
        assertThat(onTerminal("help storm", Map.of())).contains(ESCAPE, "--cqs");
        assertThat(onTerminal("help storm", Map.of("NO_COLOR", "1")))
                .contains("--cqs")
                .doesNotContain(ESCAPE);
        assertThat(throughAPipe("help storm")).contains("--cqs").doesNotContain(ESCAPE);
    }

    /** One line says what is wrong, and one what to do. */
    @Test
    void errorsHaveColoursOnATerminalOnly() throws Exception {
        String message = "--cqs is 0, but must be 1 to 262144";
        assertThat(onTerminal("storm --cqs 0", Map.of())).contains(ESCAPE, message);
        String plain = onTerminal("storm --cqs 0", Map.of("NO_COLOR", "1"));
        assertThat(plain).contains(message).doesNotContain(ESCAPE);
        assertThat(plain.lines()).hasSize(2);
        assertThat(throughAPipe("storm --cqs 0").lines())
                .hasSize(2)
                .noneMatch(line -> line.contains(ESCAPE))
                .last()
                .isEqualTo("Try 'loomverbs storm --help'.");
    }

    /** A bar is drawn over and over; through a pipe there are lines. */
    @Test
    void aProgressBarIsForATerminal() throws Exception {
        String storm = "storm --cqs 2 --seconds 2";
        String drawn = onTerminal(storm, Map.of());
        assertThat(drawn).contains(ESCAPE, "/2 s", "all was well");
        assertThat(onTerminal(storm, Map.of("NO_COLOR", "1")))
                .contains("/2 s", "all was well")
                .doesNotContain("\033[33m");
        assertThat(throughAPipe(storm))
                .contains("storm: 2 s, ", "all was well")
                .doesNotContain(ESCAPE)
                .doesNotContain("\r");
    }

    /** A shell that has loaded the completion offers commands, options and values. */
    @Test
    void bashCompletes() throws Exception {
        String script =
                """
                source <(%s completion)
                compopt() { # only where a user types
                    :
                }
                offers() {
                    COMP_WORDS=("$@")
                    COMP_CWORD=$(($# - 1))
                    COMPREPLY=()
                    _complete_loomverbs
                    echo "${COMPREPLY[*]}"
                }
                offers loomverbs st
                offers loomverbs storm --wi
                offers loomverbs storm --wait A
                """
                        .formatted(COMMAND.strip());
        assertThat(run(List.of("/bin/bash", "-c", script), Map.of()).lines().map(String::strip))
                .containsExactly("storm", "--window", "ADAPTIVE");
    }

    /** What a script reads is free of all that. */
    @Test
    void jsonIsPlainOnATerminal() throws Exception {
        String json = onTerminal("devinfo --json", Map.of());
        assertThat(json).contains("\"soft0\"").doesNotContain(ESCAPE);
    }
}
