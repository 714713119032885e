package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Every exported type says since which version there has been one. */
class SinceTest {
    private static final Path SOURCES = Path.of("src/main/java");
    private static final Pattern EXPORTS =
            Pattern.compile("^\\s*exports ([\\w.]+);", Pattern.MULTILINE);
    private static final Pattern TYPE =
            Pattern.compile(
                    "^ *public (?:(?:static|final|abstract|sealed|non-sealed) )*"
                            + "(?:class|interface|enum|record|@interface) (\\w+)",
                    Pattern.MULTILINE);
    private static final Pattern SINCE = Pattern.compile("@since \\d+\\.\\d+\\.\\d+\\s");

    @Test
    void everyExportedTypeSaysSinceWhen() throws IOException {
        List<String> without = new ArrayList<>();
        int types = 0;
        for (Path file : exported()) {
            String source = Files.readString(file);
            Matcher type = TYPE.matcher(source);
            while (type.find()) {
                types++;
                if (!SINCE.matcher(docBefore(source, type.start())).find()) {
                    without.add(file + ": " + type.group(1));
                }
            }
        }
        assertThat(types).isGreaterThan(80);
        assertThat(without).as("types without @since in their Javadoc").isEmpty();
    }

    private static List<Path> exported() throws IOException {
        List<Path> files = new ArrayList<>();
        Matcher exports = EXPORTS.matcher(Files.readString(SOURCES.resolve("module-info.java")));
        while (exports.find()) {
            Path folder = SOURCES.resolve(exports.group(1).replace('.', '/'));
            try (Stream<Path> all = Files.list(folder)) {
                all.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
            }
        }
        return files;
    }

    /** The comment that ends last before a declaration, with only annotations between. */
    private static String docBefore(String source, int declaration) {
        int end = source.lastIndexOf("*/", declaration);
        int start = source.lastIndexOf("/**", declaration);
        return start < 0 || end < start || source.substring(end, declaration).contains(";")
                ? ""
                : source.substring(start, end + 2);
    }
}
