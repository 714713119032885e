package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Each message of {@code docs/troubleshooting.md} is what the library says when it is provoked. */
@Timeout(180)
class TroubleshootingTest {
    private static final Pattern ROW = Pattern.compile("\\| `(.+?)` \\| [^|]+ \\| [^|]+ \\|");

    /** Programs that do what is reported in the log. */
    private static final String PROGRAM = "io.loomverbs.api.LeakReportsTest$Main";

    /** Such as {@code port is ..., but must be ...}, where the dots stand for anything. */
    private record Documented(String text, Pattern pattern) {
        static Documented of(String text) {
            String regex =
                    Arrays.stream(text.split("\\.\\.\\.", -1))
                            .map(Pattern::quote)
                            .collect(Collectors.joining(".*"));
            return new Documented(text, Pattern.compile(regex, Pattern.DOTALL));
        }
    }

    private static List<Documented> documented() throws Exception {
        List<Documented> all = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("docs/troubleshooting.md"))) {
            if (line.startsWith("| `")) {
                Matcher row = ROW.matcher(line);
                assertThat(row.matches()).as(line).isTrue();
                all.add(Documented.of(row.group(1)));
            }
        }
        return all;
    }

    @Test
    void everyMessageIsProvokedAndDocumentedOnce() throws Exception {
        List<Documented> documented = documented();
        List<String> messages = new ArrayList<>(Provocations.messages());
        for (String program :
                List.of("objects", "event", "ended", "async", "handler", "carrier", "self")) {
            messages.addAll(reports(program));
        }
        List<String> wrong = new ArrayList<>();
        for (String message : messages) {
            List<String> rows =
                    documented.stream()
                            .filter(row -> row.pattern.matcher(message).matches())
                            .map(Documented::text)
                            .toList();
            if (rows.size() != 1) {
                wrong.add(message + " is in " + rows);
            }
        }
        for (Documented row : documented) {
            if (messages.stream().noneMatch(message -> row.pattern.matcher(message).matches())) {
                wrong.add("nothing provokes " + row.text);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(documented).hasSizeGreaterThan(50);
    }

    private static List<String> reports(String program) throws Exception {
        String held = program.equals("carrier") ? "3000" : "300";
        List<String> options =
                List.of(
                        "-Dloomverbs.heldWarningMillis=" + held,
                        "-Dloomverbs.closeWarningMillis=500",
                        "-Dloomverbs.leakDetection="
                                + (program.equals("objects") ? "full" : "sampled"));
        return ChildJvm.run(Class.forName(PROGRAM), options, program).lines().toList();
    }
}
