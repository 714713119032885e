package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.jfr.consumer.RecordingFile;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The settings of a recording that begins with the JVM, as docs/observability.md has them. */
@Timeout(120)
class RecordingOptionTest {
    private static final String OPTION = "-XX:StartFlightRecording:";

    @TempDir Path folder;

    /** The option of the document, with the one event that every device has in place of another. */
    private static String option() throws Exception {
        String option =
                Files.readAllLines(Path.of("docs/observability.md")).stream()
                        .filter(line -> line.startsWith(OPTION))
                        .findFirst()
                        .orElseThrow();
        assertThat(option).contains("filename=demo.jfr,", "loomverbs.PollerWake#enabled=true");
        return option.replace("PollerWake", "ArmToEvent");
    }

    @Test
    void theSettingsOfTheDocumentTakeEffect() throws Exception {
        Path file = folder.resolve("demo.jfr");
        Path printed = folder.resolve("printed");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                option().replace("demo.jfr", file.toString()),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.loomverbs.tools.Main",
                                "pingpong",
                                "--device=soft0",
                                "--events",
                                "--warm-up=0",
                                "--iters=20")
                        .redirectErrorStream(true)
                        .redirectOutput(printed.toFile())
                        .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(Files.readString(printed)).doesNotContain("doesn't exist").contains("20 iters");
        assertThat(RecordingFile.readAllEvents(file))
                .extracting(event -> event.getEventType().getName())
                .containsAnyElementsOf(List.of("loomverbs.ArmToEvent"));
    }
}
