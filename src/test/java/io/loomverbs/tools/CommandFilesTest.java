package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import io.loomverbs.tools.plot.Nanos;

import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

import javax.imageio.ImageIO;

/** What the commands write for programs to read, and for people to look at. */
@Timeout(120)
class CommandFilesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir private Path folder;

    private static CommandRun run(String arguments) throws Exception {
        CommandRun run = CommandRun.start(arguments, PATIENCE);
        assertThat(run.status()).as(run.printed()).isZero();
        return run;
    }

    @Test
    void aPlotIsDrawnAsSvg() throws Exception {
        Path file = folder.resolve("pingpong.svg");
        run("pingpong -n 2k --warm-up 100 -e --plot " + file);
        String svg = Files.readString(file);
        assertThat(svg)
                .startsWith("<?xml version=")
                .contains("pingpong: RC on soft0, 4,096 bytes, getCqEvent")
                .contains("99.9 %", "round trip", "</svg");
    }

    @Test
    void aPlotIsDrawnAsPng() throws Exception {
        Path file = folder.resolve("storm.png");
        run("storm --cqs 20 --seconds 1 --plot " + file);
        BufferedImage image = ImageIO.read(file.toFile());
        Set<Integer> colours = new HashSet<>();
        for (int x = 0; x < image.getWidth(); x++) {
            for (int y = 0; y < image.getHeight(); y++) {
                colours.add(image.getRGB(x, y));
            }
        }
        assertThat(colours).contains(0xff1d4ed8, 0xffea580c); // both lines
    }

    /** HdrHistogram's own reader finds both kinds, with their tags. */
    @Test
    void aLogIsWritten() throws Exception {
        Path file = folder.resolve("storm.hlog");
        run("storm --cqs 20 --seconds 1 --hdr-log " + file);
        Set<String> tags = new HashSet<>();
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            while (reader.hasNext()) {
                EncodableHistogram next = reader.nextIntervalHistogram();
                assertThat(next.getMaxValueAsDouble()).isPositive();
                tags.add(next.getTag());
            }
        }
        assertThat(tags).containsExactlyInAnyOrder("queueing", "gap");
    }

    @ParameterizedTest
    @CsvSource({
        "--plot x.pdf, must end in .svg or .png",
        "--plot /nowhere/x.svg, there is no folder /nowhere",
        "--hdr-log /nowhere/x.hlog, there is no folder /nowhere"
    })
    void filesThatCannotBeAreRefusedBefore(String options, String told) throws Exception {
        for (String command : new String[] {"storm", "pingpong"}) {
            CommandRun run = CommandRun.start(command + " " + options, PATIENCE);
            assertThat(run.status()).isEqualTo(2);
            assertThat(run.err().toString()).contains(told);
        }
    }

    @Test
    void devinfoPrintsJson() throws Exception {
        JsonArray devices =
                JsonParser.parseString(run("devinfo -d soft0 --json").out().toString())
                        .getAsJsonArray();
        JsonObject device = devices.get(0).getAsJsonObject();
        assertThat(device.get("hca_id").getAsString()).isEqualTo("soft0");
        assertThat(device.get("max_cq").getAsLong()).isPositive();
        JsonObject port = device.getAsJsonArray("ports").get(0).getAsJsonObject();
        assertThat(port.get("state").getAsString()).isEqualTo("PORT_ACTIVE");
        assertThat(port.getAsJsonArray("gids")).isNotEmpty();
    }

    @Test
    void rpingPrintsJson() throws Exception {
        CommandRun run = run("rping --device soft0 -v -V -C 3 -p 0 --json");
        JsonObject result = JsonParser.parseString(run.out().toString()).getAsJsonObject();
        assertThat(result.get("rounds").getAsInt()).isEqualTo(3);
        assertThat(result.get("device").getAsString()).isEqualTo("soft0");
        assertThat(run.err().toString()).contains("ping data: rdma-ping-2: ");
    }

    @Test
    void soakPrintsJson() throws Exception {
        CommandRun run = run("soak --minutes 0.05 --cqs 20 --json");
        JsonObject result = JsonParser.parseString(run.out().toString()).getAsJsonObject();
        assertThat(result.get("good").getAsBoolean()).isTrue();
        assertThat(result.get("messages").getAsLong()).isPositive();
        assertThat(result.get("brokenQps").getAsLong()).isPositive();
        assertThat(result.getAsJsonObject("end").get("threads").getAsInt()).isPositive();
        assertThat(result.getAsJsonArray("failures")).isEmpty();
        assertThat(run.err().toString()).contains("soak: 0:0");
    }

    @Test
    void soakFitsATerminal() throws Exception {
        CommandRun run = run("soak --minutes 0.05 --cqs 20");
        assertThat(run.out().toString()).contains("when settled ", ", RSS ", " threads");
        assertThat((run.out().toString() + run.err()).lines())
                .allMatch(line -> line.length() <= 80);
    }

    @ParameterizedTest
    @CsvSource({
        "--minutes 0, --minutes is 0.0",
        "--minutes NaN, --minutes is NaN",
        "--minutes 20000, --minutes is 20000.0",
        "--cqs 1, --cqs is 1",
        "--cqs 100m, --cqs is 100000000"
    })
    void aSoakThatCannotBeIsRefused(String options, String told) throws Exception {
        CommandRun run = CommandRun.start("soak " + options, PATIENCE);
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err().toString()).contains(told);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 ns",
        "830, 830 ns",
        "999.4, 999 ns",
        "999.6, 1.00 us",
        "12345, 12.3 us",
        "999949, 1.00 ms",
        "4560000, 4.56 ms",
        "1157627000, 1.16 s",
        "3600000000000, 3600 s"
    })
    void timesAreInTheUnitThatFits(double nanos, String text) {
        assertThat(Nanos.text(nanos)).isEqualTo(text);
    }
}
