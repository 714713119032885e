package io.loomverbs.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Context;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A property that is wrong is named, whichever device is opened, and all are documented. */
class SettingTest {
    private static final Pattern ROW = Pattern.compile("\\| `(loomverbs\\.\\w+)` \\| (.*?) \\|.*");

    @ParameterizedTest
    @CsvSource({
        "loomverbs.closeWarningMillis, abc, 1 to 86400000",
        "loomverbs.closeWarningMillis, 0, 1 to 86400000",
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
                Files.readAllLines(Path.of("docs/guide.md")).stream()
                        .map(ROW::matcher)
                        .filter(Matcher::matches)
                        .map(row -> row.group(1) + " " + row.group(2))
                        .toList();
        assertThat(rows)
                .containsExactlyElementsOf(
                        Stream.of(Setting.values())
                                .map(setting -> setting.property() + " " + setting.usual())
                                .toList());
        String module = Files.readString(Path.of("src/main/java/module-info.java"));
        assertThat(module).contains(Stream.of(Setting.values()).map(Setting::property).toList());
    }
}
