package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/** The command {@code bench}, in a process that has the benchmarks, as the launcher starts it. */
@Timeout(120)
class BenchCommandTest {
    private static final int SECONDS = 90;

    @TempDir Path folder;

    private record Outcome(int status, String out) {}

    private Outcome bench(String... args) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-cp",
                                Path.of("target", "jmh-classes")
                                        + File.pathSeparator
                                        + System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "bench"));
        command.addAll(List.of(args));
        Path output = folder.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("ended").isTrue();
        return new Outcome(process.exitValue(), Files.readString(output));
    }

    /** Raw results as JMH writes them, of one benchmark with one iteration a round. */
    private Path results(String name, String mode, double... rounds) throws IOException {
        String data =
                DoubleStream.of(rounds)
                        .mapToObj(value -> "[" + value + "]")
                        .collect(Collectors.joining(","));
        return Files.writeString(
                folder.resolve(name),
                """
                [{"benchmark": "io.loomverbs.AckBenchmark.ackEvents", "mode": "%s", "threads": 1,
                  "vmName": "VM", "vmVersion": "25", "params": {"of": "own"},
                  "primaryMetric": {"scoreUnit": "ns/op", "rawData": [%s]},
                  "secondaryMetrics": {}}]
                """
                        .formatted(mode, data));
    }

    /** A run measures, and leaves a page that stands alone, plots and raw results. */
    @Test
    void aRunIsReported() throws Exception {
        Path report = folder.resolve("report");
        Outcome outcome =
                bench(
                        "VerbsBenchmark.copy",
                        "sendRecv",
                        "-p",
                        "size=64",
                        "-p",
                        "batch=1",
                        "--rounds",
                        "2",
                        "--millis",
                        "10",
                        "-o",
                        report.toString());
        assertThat(outcome.status()).as(outcome.out()).isZero();
        assertThat(outcome.out())
                .contains("round 2/2, 4 of 4", "SEND / RECV", "memory copy (limit)")
                .contains("bytes allocated for one such")
                .containsPattern("undecided +RC SEND/RECV of 64 B"); // two rounds say too little
        String page = Files.readString(report.resolve("index.html"));
        assertThat(page)
                .contains("<svg viewBox=", "SEND / RECV", "What it must reach", "--rounds 2")
                .containsPattern("<dt>load</dt><dd>[\\d.]+ before, [\\d.]+ after</dd>")
                .doesNotContain("<script", "<link", "src=");
        assertThat(report.resolve("plots/verbs-1.svg")).isNotEmptyFile();
        assertThat(Files.readAllBytes(report.resolve("plots/verbs-1.png")))
                .startsWith(new byte[] {(byte) 0x89, 'P', 'N', 'G'});
        // The raw results are whole: they can be reported on, and compared with themselves.
        Outcome again =
                bench(
                        "--from",
                        report.resolve("results.json").toString(),
                        "--baseline",
                        report.resolve("results.json").toString(),
                        "-o",
                        folder.resolve("again").toString());
        assertThat(again.status()).as(again.out()).isZero();
        assertThat(again.out())
                .contains("2 compared, 0 slower", "2 could not be judged: less than 3 rounds");
    }

    /** One line, with all that the table has. */
    @Test
    void printsJson() throws Exception {
        String now = results("now.json", "avgt", 15, 16, 17).toString();
        String then = results("then.json", "avgt", 10, 11, 12).toString();
        Path report = folder.resolve("report");
        Outcome outcome =
                bench("--json", "--from", now, "--baseline", then, "-o", report.toString());
        assertThat(outcome.status()).as(outcome.out()).isEqualTo(1);
        assertThat(outcome.out().lines()).hasSize(1);
        JsonObject json = JsonParser.parseString(outcome.out()).getAsJsonObject();
        JsonObject figure = json.getAsJsonArray("figures").get(0).getAsJsonObject();
        assertThat(figure.get("benchmark").getAsString()).isEqualTo("AckBenchmark.ackEvents");
        assertThat(figure.getAsJsonObject("params").get("of").getAsString()).isEqualTo("own");
        assertThat(figure.get("rounds").getAsInt()).isEqualTo(3);
        assertThat(figure.getAsJsonObject("mean").get("median").getAsDouble()).isEqualTo(16);
        JsonObject slower =
                json.getAsJsonObject("baseline").getAsJsonArray("slower").get(0).getAsJsonObject();
        assertThat(slower.getAsJsonObject("then").get("most").getAsDouble()).isEqualTo(12);
        assertThat(json.get("report").getAsString())
                .isEqualTo(report.resolve("index.html").toString());
        assertThat(JsonParser.parseString(bench("--list", "--json").out()).getAsJsonArray())
                .anyMatch(set -> set.getAsJsonObject().get("name").getAsString().equals("ack"));
    }

    /**
     * Slower is what is worse in every round, by more than rounds differ; then the command fails,
     * and says what and how much.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "avgt | 10 11 12 | 15 16 17 | slower",
                "avgt | 10 11 12 | 13 14 15 | same",
                "avgt | 10 10.1 10.2 | 13 16 19 | same",
                "avgt | 10 11 12 | 11.9 14 15 | same",
                "avgt | 10 11 12 | 5 6 7 | faster",
                "avgt | 100 100 100 | 101 101 101 | same",
                "avgt | 10 11 | 20 21 | same",
                "thrpt | 10 11 12 | 15 16 17 | faster",
                "thrpt | 10 11 12 | 7 8 9 | same",
                "thrpt | 10 11 12 | 5 6 7 | slower",
            })
    void whatGotSlowerIsTold(String mode, String then, String now, String verdict)
            throws Exception {
        Outcome outcome =
                bench(
                        "--from",
                        results("now.json", mode, numbers(now)).toString(),
                        "--baseline",
                        results("then.json", mode, numbers(then)).toString(),
                        "-o",
                        folder.resolve("report").toString());
        assertThat(outcome.status()).as(outcome.out()).isEqualTo(verdict.equals("slower") ? 1 : 0);
        assertThat(outcome.out())
                .contains(
                        "1 compared, %d slower and %d faster beyond the noise"
                                .formatted(
                                        verdict.equals("slower") ? 1 : 0,
                                        verdict.equals("faster") ? 1 : 0));
        if (!verdict.equals("same")) {
            assertThat(outcome.out()).contains(verdict + "  AckBenchmark.ackEvents (of=own): ");
        }
    }

    private static double[] numbers(String text) {
        return Pattern.compile(" ").splitAsStream(text).mapToDouble(Double::parseDouble).toArray();
    }

    /** What cannot be measured is told, in the output and on the page, and fails the command. */
    @Test
    void whatIsMissingIsTold() throws Exception {
        Path report = folder.resolve("report");
        Outcome outcome =
                bench(
                        "events",
                        "-p",
                        "by=threadEach",
                        "-p",
                        "cqs=100000",
                        "-p",
                        "work=none",
                        "--rounds",
                        "1",
                        "--millis",
                        "10",
                        "-o",
                        report.toString());
        assertThat(outcome.status()).isEqualTo(1);
        assertThat(outcome.out()).contains("NOT MEASURED", "100,000 platform threads are more");
        assertThat(Files.readString(report.resolve("index.html")))
                .contains("Not measured", "100,000 platform threads are more");
    }

    /** The sets have names, and what is wrong is said in a line. */
    @Test
    void namesAndOptions() throws Exception {
        assertThat(bench("--list").out()).contains("ack ", "wake ", "events ", "memory ");
        wrong("no set or benchmark is called tempest; the sets are [ack", "tempest");
        wrong("--rounds is 0, but must be 1 to 100", "--rounds", "0");
        wrong("--millis is 1, but must be 10 to 60000", "--millis", "1");
        wrong("-p is cqs, but must be PARAM=VALUE", "-p", "cqs");
        wrong("no benchmark has a parameter cqes; there are [", "-p", "cqes=1");
        wrong("--baseline is /nowhere, which cannot be read", "--baseline", "/nowhere");
        Path text = Files.writeString(folder.resolve("text"), "once", StandardCharsets.UTF_8);
        wrong("does not hold raw results of JMH", "--from", text.toString());
    }

    private void wrong(String message, String... args) throws Exception {
        Outcome outcome = bench(args);
        assertThat(outcome.status()).as(outcome.out()).isEqualTo(2);
        assertThat(outcome.out()).contains(message).doesNotContain("\tat ");
    }
}
