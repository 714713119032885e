package io.loomverbs.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Context;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A property that is wrong is named, whichever device is opened, and all are documented. */
class SettingTest {
    private static final Path DOCUMENT = Path.of("docs/configuration.md");

    private static final Pattern NAME =
            Pattern.compile(
                    "\"(?:-D)?(loomverbs\\.[a-z]\\w*)|getenv\\(\"(\\w+)|\\$\\{?(LOOMVERBS_\\w+)");

    /** What is no text, or names meters. */
    private static final Pattern SKIPPED =
            Pattern.compile(".*\\.(png|svg|gz|jar|bin|pcap)|.*/micrometer/.*|.*/Watching\\.java");

    /** Those of this test and of others that are wrong on purpose. */
    private static final Set<String> WRONG =
            Set.of(
                    "loomverbs.trackEvent",
                    "loomverbs.pollres",
                    "loomverbs.warpFactor",
                    "loomverbs.test");

    private static final Pattern ROW = Pattern.compile("\\| `(loomverbs\\.\\w+)` \\| (.*?) \\|.*");

    @ParameterizedTest
    @CsvSource({
        "loomverbs.closeWarningMillis, abc, 1 to 86400000",
        "loomverbs.closeWarningMillis, 0, 1 to 86400000",
        "loomverbs.heldWarningMillis, 9, 10 to 86400000",
        "loomverbs.leakDetection, paranoid, 'off, sampled or full'",
        "loomverbs.pollers, 0, 1 to 1024",
        "loomverbs.pollers, 99999999999, 1 to 1024",
        "loomverbs.pollerThreads, yes, true or false",
        "loomverbs.trackEvents, '', true or false"
    })
    void aWrongValueIsRefused(String property, String value, String limits) {
        System.setProperty(property, value);
        try {
            assertThatThrownBy(() -> Verbs.device("soft0").open())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "the system property "
                                    + property
                                    + " is \""
                                    + value
                                    + "\", but must be "
                                    + limits);
        } finally {
            System.clearProperty(property);
        }
        try (Context context = Verbs.device("soft0").open()) {
            assertThat(context).isNotNull();
        }
    }

    @Test
    void anUnknownPropertyIsNamed() {
        assertThat(Setting.unknown("loomverbs.trackEvent"))
                .isEqualTo(
                        "the system property loomverbs.trackEvent does not exist, and has no"
                                + " effect: did you mean loomverbs.trackEvents?");
        assertThat(Setting.unknown("loomverbs.warpFactor"))
                .contains("there are loomverbs.closeWarningMillis, loomverbs.fair,");
    }

    @Test
    void theTableListsAll() throws Exception {
        List<String> rows =
                Files.readAllLines(DOCUMENT).stream()
                        .map(ROW::matcher)
                        .filter(Matcher::matches)
                        .map(row -> row.group(1) + " " + row.group(2))
                        .limit(Setting.values().length)
                        .toList();
        assertThat(rows)
                .containsExactlyElementsOf(
                        Stream.of(Setting.values())
                                .map(setting -> setting.property() + " " + setting.usual())
                                .toList());
    }

    /** Also what the tests and the command line are told by, and the variables. */
    @Test
    void everyNameInTheSourcesIsDocumented() throws Exception {
        String document = Files.readString(DOCUMENT);
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files =
                Stream.of("src", "loomverbs", ".ci").map(Path::of).flatMap(SettingTest::filesIn)) {
            for (Path file : files.toList()) {
                Matcher name = NAME.matcher(Files.readString(file));
                while (name.find()) {
                    for (int group = 1; group <= name.groupCount(); group++) {
                        if (name.group(group) != null) {
                            names.add(name.group(group));
                        }
                    }
                }
            }
        }
        names.removeAll(WRONG);
        assertThat(names).contains("loomverbs.device", "NO_COLOR", "LOOMVERBS_JAVA_OPTS");
        assertThat(names).allSatisfy(name -> assertThat(document).contains("| `" + name + "` |"));
    }

    private static Stream<Path> filesIn(Path root) {
        try (Stream<Path> all = Files.walk(root)) {
            return all
                    .filter(Files::isRegularFile)
                    .filter(file -> !SKIPPED.matcher(file.toString()).matches())
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
