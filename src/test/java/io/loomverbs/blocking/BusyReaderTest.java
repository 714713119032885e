package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** A thread whose requests are done as soon as it looks never parks; others have their turn. */
@Timeout(120)
class BusyReaderTest {
    @Test
    void aThreadThatNeverWaitsLetsOthersRun() throws Exception {
        List<String> options =
                List.of(
                        "-Djdk.virtualThreadScheduler.parallelism=1",
                        "-Djdk.virtualThreadScheduler.maxPoolSize=1");
        assertThat(ChildJvm.run(BusyReaderChild.class, options))
                .isEqualTo("reads: true\nanother runs: true\n");
    }
}
