package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The programs in C that a test starts. Those that still run at its end are killed. */
final class NativePrograms implements AutoCloseable {
    private final Duration patience;
    private final List<Process> started = new ArrayList<>();

    /**
     * @param patience how long a program may take
     */
    NativePrograms(Duration patience) {
        this.patience = patience;
    }

    /** A program, with what it prints in a file of its own. */
    record Program(Process process, Path out, Duration patience) {
        /** How it has ended. Fails if it does not end in time. */
        int status() throws IOException, InterruptedException {
            boolean ended = process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
            assertThat(ended).as("still running: %s", printed()).isTrue();
            return process.exitValue();
        }

        String printed() throws IOException {
            return Files.readString(out, StandardCharsets.UTF_8);
        }
    }

    Program start(String commandLine) throws IOException {
        return start(List.of(commandLine.split(" ")));
    }

    Program start(List<String> command) throws IOException {
        Path out = Files.createTempFile("interop", ".out");
        out.toFile().deleteOnExit();
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        started.add(process);
        return new Program(process, out, patience);
    }

    @Override
    public void close() {
        started.forEach(Process::destroyForcibly);
    }
}
