package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.BusyPairs;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/**
 * While handlers keep all carriers busy, whatever else waits on a virtual thread comes back: timed
 * waits, sleeps, what a platform thread unparks, and threads that are only just started.
 */
@Timeout(300)
class FairnessTest {
    @ParameterizedTest
    @CsvSource({"SERVE, 2", "AWAIT, 2", "EVENT, 2", "SERVE, 1"})
    void othersComeBackWhileHandlersAreBusy(BusyPairs.Wait wait, int carriers) throws Exception {
        String printed =
                ChildJvm.run(
                        List.of(),
                        List.of(
                                "-Djdk.virtualThreadScheduler.parallelism=" + carriers,
                                "-Djdk.virtualThreadScheduler.maxPoolSize=" + carriers),
                        FairnessChild.class,
                        wait.name());
        assertThat(printed)
                .isEqualTo(
                        """
                        getCqEvent
                        channel.getCqEvent
                        await
                        sleep
                        close
                        unpark
                        they go on, null
                        """);
    }
}
