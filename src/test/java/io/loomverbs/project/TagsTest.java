package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A test whose tag is misspelt would be run nowhere but on the embedded devices. */
class TagsTest {
    private static final Pattern TAG = Pattern.compile("(?m)^ *@Tag\\(\"(.*)\"\\)");

    /** Those of {@code src/test/rxe/tests} and of the build, and no others. */
    @Test
    void everyTagIsOneThatTheBuildKnows() throws IOException {
        Set<String> tags = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                Matcher matcher = TAG.matcher(Files.readString(file));
                while (matcher.find()) {
                    tags.add(matcher.group(1));
                }
            }
        }
        assertThat(tags).containsExactly("device", "guest", "planted", "rdma");
    }
}
