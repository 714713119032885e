package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import io.loomverbs.ContextStats;
import io.loomverbs.CqStats;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command top, which looks into a JVM of its own. */
@Timeout(120)
class TopTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** A running child, which is ended with the test. */
    private static final class Child implements AutoCloseable {
        private final Process process;

        Child(String... args) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(
                    List.of(
                            "-XX:TieredStopAtLevel=1",
                            "--enable-native-access=ALL-UNNAMED",
                            "-Dloomverbs.device=" + Fixture.DEVICE,
                            "-cp",
                            System.getProperty("java.class.path"),
                            TopChild.class.getName()));
            command.addAll(List.of(args));
            process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            BufferedReader out = process.inputReader();
            String line = out.readLine();
            while (line != null && !line.equals("ready")) {
                line = out.readLine();
            }
            assertThat(line).as("the child is set up").isEqualTo("ready");
        }

        @Override
        public void close() throws IOException {
            process.outputWriter().close();
            try {
                assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("the child ends").isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                process.destroyForcibly();
            }
        }
    }

    private static CommandRun top(Child child, String options) {
        String all = "top --once --interval 0.2 " + options + child.process.pid();
        return CommandRun.start(all, PATIENCE);
    }

    private static List<String> strings(JsonElement array) {
        return array.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList();
    }

    @Test
    void showsAnotherProcess() throws Exception {
        try (Child child = new Child()) {
            CommandRun text = top(child, "");
            assertThat(text.status()).as("%s", text.printed()).isZero();
            assertThat(text.printed())
                    .contains("process " + child.process.pid() + ": 1 open context")
                    .containsPattern("/channel-\\d+:news +1 +1 +1 +0\\n")
                    .contains("thread \"reader\" waits for an event of ")
                    .containsPattern(
                            "thread \"grouped\" waits for completions of cq-group-\\d+, for ")
                    .contains("thread \"taker\" waits for a buffer of pool[1 buffers of 64 bytes")
                    .containsPattern("/cq-\\d+:kept has 1 unacknowledged event, for ")
                    .containsPattern("the handler of .*:stuck has not returned for ");
            CommandRun json = top(child, "--json ");
            assertThat(json.status()).as("%s", json.printed()).isZero();
            JsonObject all = JsonParser.parseString(json.out().toString()).getAsJsonObject();
            JsonObject context = all.getAsJsonArray("contexts").get(0).getAsJsonObject();
            assertThat(context.get("context").getAsString()).isEqualTo(Fixture.DEVICE);
            JsonObject kept =
                    context.getAsJsonArray("cqs").asList().stream()
                            .map(JsonElement::getAsJsonObject)
                            .filter(cq -> cq.get("cq").getAsString().endsWith(":kept"))
                            .findFirst()
                            .orElseThrow();
            assertThat(kept.get("unackedEvents").getAsInt()).isEqualTo(1);
            assertThat(kept.get("name").getAsString()).isEqualTo("kept");
            assertThat(kept.get("eventsPerSecond").getAsDouble()).isZero();
            assertThat(context.getAsJsonArray("waits")).isNotEmpty();
            assertThat(strings(all.get("problems")))
                    .hasSize(3)
                    .anyMatch(problem -> problem.endsWith("but was never polled"));
        }
    }

    /** The commands of loomverbs can be looked at as they are. */
    @Test
    void showsACommand() throws Exception {
        try (Child child = new Child("storm", "--cqs", "20", "--seconds", "300")) {
            Fixture.eventually(
                    "the storm is seen",
                    () -> {
                        try {
                            CommandRun run = top(child, "");
                            return run.status() == 0
                                    && run.printed().contains(": 1 open context")
                                    && run.printed().contains("20 CQs");
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    });
        }
    }

    @Test
    void saysWhatIsMissing() throws Exception {
        try (Child child = new Child("unregistered")) {
            CommandRun run = top(child, "");
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err().toString())
                    .startsWith("failed: process " + child.process.pid())
                    .contains("VerbsManagement.register()");
        }
    }

    @Test
    void saysThatAProcessIsNoJvm() throws Exception {
        Process other = new ProcessBuilder("sleep", "60").start();
        try {
            CommandRun run = CommandRun.start("top " + other.pid(), PATIENCE);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err().toString())
                    .startsWith("failed: process " + other.pid() + ": is no JVM");
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void refusesIntervalsOutOfRange() throws Exception {
        CommandRun run = CommandRun.start("top --interval 0 1", PATIENCE);
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err().toString()).contains("--interval is 0.0, but must be 0.01 to 3600");
    }

    @Test
    void textIsEscaped() {
        assertThat(JsonParser.parseString(TopJson.text("a\"b\\c\n")).getAsString())
                .isEqualTo("a\"b\\c\n");
        assertThat(TopJson.text(null)).isEqualTo("null");
    }

    /**
     * A page shows the worst: a handler that hangs before events that a busy machine is late for.
     */
    @Test
    void theWorstComesFirst() {
        List<CqStats> cqs = new ArrayList<>();
        for (int i = 1; i <= 30; i++) {
            cqs.add(cq("soft0/cq-" + i + ":late", 1, false));
        }
        cqs.add(cq("soft0/cq-31:orders", 0, true));
        cqs.add(cq("soft0/cq-32:prices", 0, true));
        String told =
                "the handler of soft0/cq-32:prices has not returned for 7 s: thread \"x\" at y";
        ContextStats context =
                new ContextStats("soft0", cqs, List.of(), List.of(), 0, List.of(told));
        TopDifference difference = new TopDifference(List.of(context));
        difference.next(List.of(context));
        assertThat(difference.problems()).hasSize(32);
        String page = TopText.of(1, difference);
        assertThat(page.lines().dropWhile(line -> !line.startsWith("what")).toList())
                .hasSize(22)
                .startsWith(
                        "what looks wrong:",
                        "  the handler of soft0/cq-31:orders has not returned for 0.0 s",
                        "  " + told)
                .endsWith("  and 12 more");
        assertThat(page.lines()).allMatch(line -> line.length() <= 80);
    }

    private static CqStats cq(String name, int pending, boolean handling) {
        return new CqStats(name, null, null, 10, 10, 10, 0, pending, 0, -1, 0, handling);
    }
}
