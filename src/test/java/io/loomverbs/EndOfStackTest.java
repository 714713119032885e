package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Acknowledging or serving where the stack ends: it may fail, and then nothing has changed. */
@Timeout(120)
class EndOfStackTest {
    /** In each way that the JVM runs code: frames have other sizes in each. */
    @ParameterizedTest
    @ValueSource(strings = {"-XX:TieredStopAtLevel=1", "-Xint", "-XX:TieredStopAtLevel=4"})
    void anAcknowledgementThatFailsChangesNothing(String mode) throws Exception {
        assertThat(ChildJvm.run(List.of(), List.of(mode, "-Xss180k"), EndOfStackChild.class))
                .isEqualTo(
                        """
                        2 unacknowledged after acknowledging too many
                        0 unacknowledged after closing events
                        0 unacknowledged after closing asynchronous events
                        0 unacknowledged after a close
                        0 attempts to serve found a channel that is served
                        """);
    }
}
