package io.loomverbs;

import static org.assertj.core.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, which finds out what devices there are. */
public final class AvailabilityChild {
    private AvailabilityChild() {}

    /** Prints what there is; with a name, tries to open that device, and only that. */
    public static void main(String[] args) {
        if (args.length > 0) {
            try (Context context = Verbs.device(args[0]).open()) {
                System.out.println("opened " + context);
            } catch (IllegalArgumentException | VerbsException e) {
                System.out.println(e.getMessage());
            }
            return;
        }
        System.out.println("devices " + Verbs.devices());
        Throwable cause = Verbs.unavailabilityCause();
        System.out.println("cause " + (cause == null ? "none" : cause.getMessage()));
    }

    /**
     * Runs it.
     *
     * @param before what to run java with, such as {@code setpriv}
     * @param options of java
     */
    static String run(List<String> before, List<String> options, String... args) throws Exception {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), "-XX:TieredStopAtLevel=1"));
        command.add(AvailabilityChild.class.getName());
        command.addAll(List.of(args));
        Path output = Files.createTempFile("child", ".txt");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
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
}
