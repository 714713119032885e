package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Ctrl-C as it is typed: on a terminal, which makes SIGINT of it. */
@Timeout(120)
class CtrlCTest {
    private static final int CTRL_C = 3;
    private static final int INTERRUPTED = 130;
    private static final Pattern BAR = Pattern.compile(" [1-9][0-9]*/600 s");
    private static final Path SCRIPT = Path.of("/usr/bin/script");

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private Process terminal;
    private Thread reader;

    /** Runs a storm on a terminal of its own. */
    private void start(String javaOptions, String stormOptions) throws IOException {
        assertThat(Files.isExecutable(SCRIPT))
                .as("%s makes a terminal. This installs it: apt-get install bsdutils", SCRIPT)
                .isTrue();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        // The class path would be too long a line for some shells.
        ProcessBuilder builder =
                new ProcessBuilder(
                        SCRIPT.toString(),
                        "--quiet",
                        "--return",
                        "--command",
                        // A shell that runs the tests in the background may have it ignored.
                        "exec env --default-signal=INT %s %s %s storm %s"
                                .formatted(java, javaOptions, Main.class.getName(), stormOptions),
                        "/dev/null");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().put("TERM", "dumb");
        terminal = builder.redirectErrorStream(true).start();
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    private void read() {
        try (InputStream in = terminal.getInputStream()) {
            for (int b = in.read(); b >= 0; b = in.read()) {
                synchronized (printed) {
                    printed.write(b);
                }
            }
        } catch (IOException e) {
            // The terminal is gone; what it has printed is looked at.
        }
    }

    private String printed() {
        synchronized (printed) {
            return printed.toString(StandardCharsets.UTF_8);
        }
    }

    /** Until messages are sent: the bar stands at a second or more. */
    private void awaitLoad() throws InterruptedException {
        while (!BAR.matcher(printed()).find()) {
            assertThat(terminal.isAlive()).as(printed()).isTrue();
            Thread.sleep(10);
        }
    }

    private void type(int key) throws IOException {
        terminal.getOutputStream().write(key);
        terminal.getOutputStream().flush();
    }

    private int awaitEnd() throws InterruptedException {
        assertThat(terminal.waitFor(60, TimeUnit.SECONDS)).as(printed()).isTrue();
        reader.join(10_000);
        return terminal.exitValue();
    }

    @AfterEach
    void nothingIsLeft() {
        if (terminal != null) {
            List.copyOf(terminal.descendants().toList()).forEach(ProcessHandle::destroyForcibly);
            terminal.destroyForcibly();
        }
    }

    @Test
    void theFirstEndsTheStormWithItsTable() throws Exception {
        start("-XX:TieredStopAtLevel=1", "--cqs 20 --seconds 600");
        awaitLoad();
        type(CTRL_C);
        assertThat(awaitEnd()).as(printed()).isEqualTo(INTERRUPTED);
        assertThat(printed()).contains("handlers at work", "interrupted; all was well so far");
    }

    /** While the first one's end is still at work, which takes interpreted code some seconds. */
    @Test
    void theSecondEndsItAtOnce() throws Exception {
        start("-Xint", "--cqs 20000 --seconds 600");
        awaitLoad();
        type(CTRL_C);
        while (!terminal.waitFor(100, TimeUnit.MILLISECONDS)) {
            try {
                type(CTRL_C);
            } catch (IOException e) {
                // It has just ended.
            }
        }
        assertThat(awaitEnd()).as(printed()).isEqualTo(INTERRUPTED);
        assertThat(printed()).as("the first one's end").doesNotContain("handlers at work");
    }
}
