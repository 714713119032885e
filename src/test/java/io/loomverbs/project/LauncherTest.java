package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Which JDK the launcher and the scripts of the build take. */
@Timeout(60)
class LauncherTest {
    private static final String SEARCH =
            Path.of("src/main/launcher/jdk25").toAbsolutePath().toString();

    @TempDir private Path folder;

    private record Found(int status, String printed) {}

    private Path jdk(String version) throws IOException {
        Path home = folder.resolve("jdk-" + version);
        Path javac = Files.createDirectories(home.resolve("bin")).resolve("javac");
        Files.createFile(javac);
        assertThat(javac.toFile().setExecutable(true)).isTrue();
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private static Found search(Map<String, String> environment) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(SEARCH).redirectErrorStream(true);
        builder.environment().remove("JAVA25_HOME");
        builder.environment().remove("JAVA_HOME");
        builder.environment().putAll(environment);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return new Found(process.exitValue(), printed.strip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"25", "25.0.1", "25.0.1+8", "26-ea", "26.0.2", "31"})
    void takesA25OrLater(String version) throws Exception {
        Path home = jdk(version);
        assertThat(search(Map.of("JAVA25_HOME", home.toString())))
                .isEqualTo(new Found(0, home.toString()));
        assertThat(search(Map.of("JAVA_HOME", home.toString())))
                .isEqualTo(new Found(0, home.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"24.0.2", "17.0.1", "1.8.0_402", "2.5"})
    void refusesAnEarlierOne(String version) throws Exception {
        Path home = jdk(version);
        Found found = search(Map.of("JAVA25_HOME", home.toString()));
        assertThat(found.status()).isEqualTo(2);
        assertThat(found.printed())
                .isEqualTo(
                        "JAVA25_HOME is "
                                + home
                                + ", but there is no JDK 25 or later: correct it, or unset it.");
        assertThat(search(Map.of("JAVA_HOME", home.toString())).printed())
                .isNotEqualTo(home.toString());
    }

    /** One that was named goes before one that is named less directly. */
    @Test
    void takesTheOneThatWasNamed() throws Exception {
        Path named = jdk("26");
        Path other = jdk("25.0.2");
        assertThat(search(Map.of("JAVA25_HOME", named.toString(), "JAVA_HOME", other.toString())))
                .isEqualTo(new Found(0, named.toString()));
    }
}
