package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a close that waits says in the log: in a JVM of its own, for the system properties. */
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class CloseWarningTest {
    /** After the configured time the log names the CQ, how much is held, and by which thread. */
    @Test
    void aCloseThatWaitsSaysWhatFor() throws Exception {
        String output = run("-Dloomverbs.closeWarningMillis=10");
        assertThat(output)
                .contains(
                        "WARNING", "the close of", "/cq-", "1 unacknowledged event,", "the-holder")
                .contains("ETIMEDOUT")
                .doesNotContain("takeAndHold");
    }

    /** With tracking on it also says where the event was received. */
    @Test
    void trackingSaysWhereTheEventWasReceived() throws Exception {
        String output = run("-Dloomverbs.closeWarningMillis=10", "-Dloomverbs.trackEvents=true");
        assertThat(output)
                .contains("the close of", "\"the-holder\"")
                .contains("CloseWarningTest$Main.takeAndHold(CloseWarningTest.java:");
    }

    /** Without the property nothing is said for the first five seconds. */
    @Test
    void aShortWaitIsNotWorthAWarning() throws Exception {
        assertThat(run()).doesNotContain("the close of").contains("ETIMEDOUT", "the-holder");
    }

    private static String run(String... properties) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(properties));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        File log = File.createTempFile("loomverbs", ".log");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log)
                            .start();
            boolean ended = process.waitFor(40, TimeUnit.SECONDS);
            process.destroyForcibly();
            String output = java.nio.file.Files.readString(log.toPath(), StandardCharsets.UTF_8);
            assertThat(ended).as("%s", output).isTrue();
            assertThat(process.exitValue()).as("%s", output).isZero();
            return output;
        } finally {
            assertThat(log.delete()).isTrue();
        }
    }

    /** The program that waits. */
    static final class Main {
        private Main() {}

        public static void main(String[] args) throws Exception {
            try (Fixture f = new Fixture()) {
                CompletionQueue cq = f.direct();
                Fixture.Source source = f.source(cq);
                cq.reqNotify(false);
                source.complete(1);
                CqEvent event = f.start("the-holder", () -> takeAndHold(cq)).get();
                source.close();
                try {
                    cq.close(Duration.ofMillis(1_200));
                } catch (VerbsException e) {
                    System.out.println(e.getMessage());
                }
                event.close();
            }
        }

        private static CqEvent takeAndHold(CompletionQueue cq) throws InterruptedException {
            return cq.getCqEvent();
        }
    }
}
