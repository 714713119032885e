package io.loomverbs.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.jfr.Recording;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

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
            Recorder.beginRegistration().ended(large, 1, true);
            Recorder.asyncEvent(Type.FATAL, 1, large, 1);
            Recorder.cqOverrun(large, 1, 1);
            Recorder.qpError(large, Type.FATAL, large, large);
        }
        assertThat(texts).isEqualTo(6);
    }
}
