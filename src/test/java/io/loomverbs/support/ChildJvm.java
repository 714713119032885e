package io.loomverbs.support;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a class in a JVM of its own. */
public final class ChildJvm {
    public static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

    private static final long SECONDS = 100;

    private ChildJvm() {}

    /**
     * Runs a class to its end and answers what it has printed; fails if it does not end well.
     *
     * @param before what to run java with, such as {@code setpriv}
     * @param options of java
     */
    public static String run(
            List<String> before, List<String> options, Class<?> main, String... args)
            throws IOException, InterruptedException {
        return run(before, options, main.getName(), args);
    }

    /**
     * The same.
     *
     * @param main the name of a class, or a source file, which java compiles
     */
    public static String run(List<String> before, List<String> options, String main, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:TieredStopAtLevel=1"); // the options may say otherwise
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("-Dloomverbs.device=" + Fixture.DEVICE);
        command.add(main);
        command.addAll(List.of(args));
        Path output = Files.createTempFile("child", ".txt");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                fail("still running: %s", command);
            }
            String text = Files.readString(output, StandardCharsets.UTF_8);
            if (process.exitValue() != 0) {
                fail("%s ended with %s: %s", command, process.exitValue(), text);
            }
            return text;
        } finally {
            Files.delete(output);
        }
    }

    /** The same with native access, and nothing to run java with. */
    public static String run(Class<?> main, List<String> options, String... args)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(options);
        all.add(NATIVE_ACCESS);
        return run(List.of(), all, main, args);
    }
}
