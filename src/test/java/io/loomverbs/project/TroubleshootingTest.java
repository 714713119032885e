package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.misuse.MisuseMessages;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Each message of {@code docs/troubleshooting.md} is what the library says when it is provoked, and
 * each message of the library is there.
 */
@Timeout(600)
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

        boolean matches(String message) {
            return pattern.matcher(message).matches();
        }

        /** How much of a message it tells: a row for many messages tells less than one for one. */
        int precision() {
            return text.replace("...", "").length();
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

    /** The row in which a reader finds the message. */
    private static Optional<Documented> rowOf(String message, List<Documented> documented) {
        return documented.stream()
                .filter(row -> row.matches(message))
                .max(Comparator.comparingInt(Documented::precision));
    }

    @Test
    void everyRowIsProvoked() throws Exception {
        List<Documented> documented = documented();
        List<String> messages = new ArrayList<>(Provocations.messages());
        messages.addAll(MisuseMessages.all());
        for (String program :
                List.of(
                        "objects",
                        "event",
                        "ended",
                        "async",
                        "handler",
                        "carrier",
                        "self",
                        "lost",
                        "property")) {
            messages.addAll(reports(program));
        }
        messages.add(ChildJvm.run(List.of(), List.of(), WithoutNativeAccess.class).strip());
        List<String> wrong = new ArrayList<>();
        Set<Documented> provoked = new HashSet<>();
        for (String message : messages) {
            rowOf(message, documented)
                    .ifPresentOrElse(provoked::add, () -> wrong.add("in no row: " + message));
        }
        for (Documented row : documented) {
            if (!provoked.contains(row)) {
                wrong.add("nothing provokes " + row.text);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(documented).hasSizeGreaterThan(50);
    }

    /** A program whose JVM was started without the option for native access. */
    static final class WithoutNativeAccess {
        private WithoutNativeAccess() {}

        public static void main(String[] args) {
            try {
                System.out.println(ConnectionManager.system());
            } catch (UnsupportedOperationException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** Also those that no test can provoke here: as the source has them. */
    @Test
    void everyMessageOfTheSourceHasARow() throws Exception {
        List<Documented> documented = documented();
        List<String> messages = SourceMessages.all();
        assertThat(messages).hasSizeGreaterThan(120);
        assertThat(messages).allMatch(message -> rowOf(message, documented).isPresent());
    }

    private static List<String> reports(String program) throws Exception {
        String held = program.equals("carrier") ? "3000" : "300";
        if (program.equals("property")) {
            return ChildJvm.run(Class.forName(PROGRAM), List.of("-Dloomverbs.pollres=2"), program)
                    .lines()
                    .toList();
        }
        List<String> options =
                List.of(
                        "-Dloomverbs.heldWarningMillis=" + held,
                        "-Dloomverbs.closeWarningMillis=500",
                        "-Dloomverbs.leakDetection="
                                + (program.equals("objects") ? "full" : "sampled"));
        return ChildJvm.run(Class.forName(PROGRAM), options, program).lines().toList();
    }
}
