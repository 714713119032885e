package io.loomverbs.internal.ffi;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A C program that is compiled against the installed headers of libibverbs and run. A machine that
 * cannot do that fails the test, and is told what to install.
 */
public final class CProgram {
    private static final int PATIENCE_S = 60;
    private static final String INSTALL =
            "this test compares with the C headers: apt-get install gcc libc6-dev libibverbs-dev";

    private CProgram() {}

    /** The lines that {@code main}, with this body, prints. */
    public static List<String> run(Path dir, String body) throws Exception {
        Path source = dir.resolve("program.c");
        Path program = dir.resolve("program");
        Files.writeString(
                source,
                """
                #define _GNU_SOURCE
                #include <endian.h>
                #include <errno.h>
                #include <stddef.h>
                #include <stdio.h>
                #include <string.h>
                #include <infiniband/verbs.h>
                int main(void)
                {
                %s
                    return 0;
                }
                """
                        .formatted(body));
        try {
            exec(dir, "gcc", "-Wall", "-Werror", "-o", program.toString(), source.toString());
        } catch (IOException e) {
            throw new AssertionError("there is no gcc; " + INSTALL, e);
        }
        return exec(dir, program.toString());
    }

    private static List<String> exec(Path dir, String... command) throws Exception {
        Path output = Files.createTempFile(dir, "output", ".txt");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            fail("still running after %s s: %s", PATIENCE_S, List.of(command));
        }
        List<String> lines = new ArrayList<>(Files.readAllLines(output));
        if (process.exitValue() != 0) {
            fail(
                    "%s ended with %s. If headers are missing: %s%n%s",
                    command[0], process.exitValue(), INSTALL, String.join("\n", lines));
        }
        return lines;
    }
}
