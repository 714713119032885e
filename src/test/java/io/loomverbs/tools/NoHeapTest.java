package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A command for which the heap is too small ends, and says how to get a larger one. */
@Timeout(200)
class NoHeapTest {
    private static final int FAILED = 1;
    private static final int TERMINATED = 143;
    private static final String TOO_LARGE = "storm --cqs 20000 --seconds 3600";

    @TempDir private Path folder;
    private Process process;

    @AfterEach
    void nothingIsLeft() {
        process.destroyForcibly();
    }

    private void start(String options, String command) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String line =
                String.join(" ", java, ChildJvm.NATIVE_ACCESS, options, Main.class.getName())
                        + " "
                        + command;
        ProcessBuilder builder = new ProcessBuilder(List.of(line.split(" ")));
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        start(builder);
    }

    private void start(ProcessBuilder builder) throws Exception {
        builder.redirectOutput(folder.resolve("out").toFile());
        process = builder.redirectError(folder.resolve("err").toFile()).start();
    }

    private String err() throws Exception {
        return Files.readString(folder.resolve("err"));
    }

    private void awaitEnd() throws Exception {
        assertThat(process.waitFor(150, TimeUnit.SECONDS)).as(err()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-XX:+UseParallelGC", "-XX:+UseSerialGC", "-XX:+UseG1GC"})
    void itEndsWithOneLine(String collector) throws Exception {
        start("-Xmx24m " + collector, TOO_LARGE);
        awaitEnd();
        assertThat(process.exitValue()).as(err()).isEqualTo(FAILED);
        assertThat(err().lines().filter(line -> line.startsWith("failed: ")))
                .singleElement()
                .asString()
                .startsWith("failed: out of memory: the heap of at most 2")
                .contains(" MiB is full; LOOMVERBS_JAVA_OPTS=-Xmx2g makes it larger");
        assertThat(folder.resolve("out")).isEmptyFile();
    }

    /** As a user starts it, with a heap that is not large enough for so many handlers. */
    @Test
    void theScriptEndsWithOneLine() throws Exception {
        List<String> line = new ArrayList<>(List.of("./loomverbs"));
        line.addAll(List.of(TOO_LARGE.split(" ")));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().put("JAVA25_HOME", System.getProperty("java.home"));
        builder.environment().put("LOOMVERBS_JAVA_OPTS", "-Xmx64m");
        start(builder);
        awaitEnd();
        assertThat(process.exitValue()).as(err()).isEqualTo(FAILED);
        assertThat(err().lines().filter(text -> text.startsWith("failed: ")))
                .singleElement()
                .asString()
                .startsWith("failed: out of memory: the heap of at most ");
        assertThat(err()).doesNotContain("Exception");
        assertThat(folder.resolve("out")).isEmptyFile();
    }

    /** The signal may come before the heap is full, or after. */
    @ParameterizedTest
    @ValueSource(strings = {"-Xmx24m", "-Xmx32m"})
    void itObeysASignal(String heap) throws Exception {
        start(heap + " -XX:+UseParallelGC", TOO_LARGE);
        while (!err().contains("creating CQs") && process.isAlive()) {
            process.waitFor(10, TimeUnit.MILLISECONDS);
        }
        process.destroy();
        awaitEnd();
        assertThat(process.exitValue()).as(err()).isIn(FAILED, TERMINATED);
    }
}
