package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;

/** A storm on a device of libibverbs: short, but all of it. */
@Tag("rdma")
@Timeout(120)
class StormOnDeviceTest {
    private static final String DEVICE = System.getProperty("loomverbs.device", "none named");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--delivery direct",
                "--delivery direct --churn",
                "--delivery channel",
                "--delivery channel --churn"
            })
    void nothingIsLost(String how) {
        StringWriter out = new StringWriter();
        CommandLine commands = Main.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(out));
        String line = "storm --json --cqs 200 --seconds 1 -d " + DEVICE + " " + how;
        int status = commands.execute(line.split(" "));
        assertThat(status).as(out.toString()).isZero();
        assertThat(out.toString())
                .contains("\"handlers\":200,", "\"lost\":0,", "\"duplicated\":0,")
                .contains("\"corrupted\":0,", "\"unacked\":0,", "\"failures\":[]}");
        if (how.contains("--churn")) {
            assertThat(out.toString()).doesNotContain("\"destroyed\":0,");
        }
    }
}
