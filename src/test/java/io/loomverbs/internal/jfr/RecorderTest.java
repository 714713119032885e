package io.loomverbs.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.PublicApi;

import jdk.jfr.Event;
import jdk.jfr.Name;
import jdk.jfr.Recording;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What cannot be recorded costs the caller nothing: it has an event that counts by then. */
@Timeout(60)
class RecorderTest {
    private enum Type {
        FATAL
    }

    private int texts;

    /** An object whose text takes more stack than there is. */
    private final Object large =
            new Object() {
                @Override
                public String toString() {
                    texts++;
                    throw new StackOverflowError("planted");
                }
            };

    @Test
    void anErrorIsNotPassedOn() {
        try (Recording recording = new Recording()) {
            for (String name :
                    new String[] {
                        "EventWait",
                        "CloseWait",
                        "ArmToEvent",
                        "MemoryRegistration",
                        "AsyncEvent",
                        "CqOverrun",
                        "QpError",
                    }) {
                recording.enable("loomverbs." + name).withThreshold(Duration.ZERO);
            }
            recording.start();
            Recorder.beginWait().ended(large, "await", true);
            Recorder.beginClose().ended(large, 1, true);
            Recorder.beginArm().ended(large);
            Recorder.beginRegistration().ended(large, 1, true);
            Recorder.asyncEvent(Type.FATAL, 1, large, 1);
            Recorder.cqOverrun(large, 1, 1);
            Recorder.qpError(large, Type.FATAL, large, large);
        }
        assertThat(texts).isEqualTo(7);
    }

    /** Of the classes that are there, as a recording names them. */
    private static Set<String> names() throws Exception {
        Set<String> names = new TreeSet<>();
        Path classes = PublicApi.root().resolve("io/loomverbs/internal/jfr");
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName(Recorder.class.getPackageName() + "." + name);
                if (Event.class.isAssignableFrom(type)) {
                    names.add(type.getAnnotation(Name.class).value());
                }
            }
        }
        return names;
    }

    /** The table of the document has each event, and no other. */
    @Test
    void theDocumentNamesEachEvent() throws Exception {
        assertThat(Files.readAllLines(Path.of("docs/observability.md")))
                .filteredOn(line -> line.startsWith("| `loomverbs."))
                .extracting(line -> line.split("`", -1)[1])
                .containsExactlyInAnyOrderElementsOf(names());
    }

    /** Each is provoked by a test that names it as it is recorded. */
    @Test
    void eachEventIsProvokedByATest() throws Exception {
        StringBuilder tests = new StringBuilder();
        for (String test :
                List.of(
                        "contract/DeviceRecordingTest",
                        "api/RecordedFailuresTest",
                        "internal/ibverbs/RecordedPollerTest")) {
            tests.append(Files.readString(Path.of("src/test/java/io/loomverbs/" + test + ".java")));
        }
        assertThat(names())
                .allSatisfy(
                        name ->
                                assertThat(tests)
                                        .containsAnyOf(
                                                '"' + name + '"',
                                                '"' + name.replace("loomverbs.", "") + '"'));
    }
}
