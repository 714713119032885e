package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

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

    /**
     * Even with tracking, a count does not tell which events it means: all candidates are named.
     */
    @Test
    void trackingDoesNotGuess() throws Exception {
        String output = run("-Dloomverbs.trackEvents=true", "-Dcounts=true");
        assertThat(output)
                .contains("1 unacknowledged event, of these, as some were acknowledged by count; ")
                .contains("taken by \"the-holder\" at ", "taken by \"another\" at ");
    }

    private static String run(String... properties) throws Exception {
        List<String> options = new ArrayList<>(List.of(properties));
        options.add(ChildJvm.NATIVE_ACCESS);
        return ChildJvm.run(List.of(), options, Main.class);
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
                if (Boolean.getBoolean("counts")) {
                    cq.reqNotify(false);
                    source.complete(1);
                    f.start("another", () -> takeAndHold(cq)).get();
                    cq.ackEvents(1);
                }
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
