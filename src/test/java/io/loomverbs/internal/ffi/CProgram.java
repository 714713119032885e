package io.loomverbs.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A C program that is compiled against the installed headers of libibverbs and run. A machine that
 * cannot do that fails the test, and is told what to install.
 */
public final class CProgram {
    private static final int PATIENCE_S = 60;
    private static final String INSTALL =
            "this test compares with the C headers: apt-get install gcc libc6-dev libibverbs-dev"
                    + " librdmacm-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross";
    private static final Pattern CONSTANT = Pattern.compile("loomverbs (\\d+) [#$]?(-?\\d+)");

    private CProgram() {}

    /** The lines that {@code main}, with this body, prints. */
    public static List<String> run(Path dir, String body) throws Exception {
        Path program = dir.resolve("program");
        compile(dir, "gcc", body, "-o", program.toString());
        return exec(dir, program.toString());
    }

    /**
     * The values of constant expressions, as a compiler has them that may be one for another
     * architecture: it writes them into its assembly, which is never run.
     */
    static List<Long> constants(Path dir, String compiler, List<String> expressions)
            throws Exception {
        StringBuilder body = new StringBuilder();
        for (int i = 0; i < expressions.size(); i++) {
            body.append("asm volatile(\"loomverbs ").append(i).append(" %0\" :: \"i\" ((long) (");
            body.append(expressions.get(i)).append(")));\n");
        }
        Path assembly = dir.resolve("program.s");
        // The headers of libibverbs are for every architecture.
        compile(
                dir,
                compiler,
                body.toString(),
                "-idirafter",
                "/usr/include",
                "-S",
                "-o",
                assembly.toString());
        Matcher found = CONSTANT.matcher(Files.readString(assembly));
        List<Long> values = new ArrayList<>();
        while (found.find()) {
            assertThat(Integer.parseInt(found.group(1))).isEqualTo(values.size());
            values.add(Long.parseLong(found.group(2)));
        }
        return values;
    }

    private static void compile(Path dir, String compiler, String body, String... options)
            throws Exception {
        Path source = dir.resolve("program.c");
        Files.writeString(
                source,
                """
                #define _GNU_SOURCE
                #include <endian.h>
                #include <errno.h>
                #include <fcntl.h>
                #include <pthread.h>
                #include <stddef.h>
                #include <stdio.h>
                #include <string.h>
                #include <sys/epoll.h>
                #include <sys/eventfd.h>
                #include <infiniband/verbs.h>
                #include <netinet/in.h>
                #include <rdma/rdma_cma.h>
                int main(void)
                {
                %s
                    return 0;
                }
                """
                        .formatted(body));
        List<String> command = new ArrayList<>(List.of(compiler, "-Wall", "-Werror"));
        command.addAll(List.of(options));
        command.add(source.toString());
        try {
            exec(dir, command.toArray(String[]::new));
        } catch (IOException e) {
            throw new AssertionError("there is no " + compiler + "; " + INSTALL, e);
        }
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
