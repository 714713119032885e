package io.loomverbs.tools.storm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Context;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A thread of a storm that dies of an Error fails the storm, and at once. */
@Timeout(60)
class ErrorInAStormTest {
    private static final int CQS = 20;

    /** Kills one thread when it begins to work for the fifth time that such a thread does. */
    private static final class Deadly extends ScratchPool {
        private final AtomicInteger visits = new AtomicInteger();
        private final String victims;

        Deadly(String victims) {
            this.victims = victims;
        }

        @Override
        StormScratch borrow() {
            if (Thread.currentThread().getName().startsWith(victims)
                    && visits.incrementAndGet() == 5) {
                throw new AssertionError("planted");
            }
            return super.borrow();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DIRECT, , handler-, 0, handler",
        "DIRECT, ADAPTIVE, handler-, 0, handler",
        "CHANNEL, , handler-, 0, a handler of",
        "DIRECT, , churn-, 200, churn"
    })
    void itIsReported(
            StormDelivery delivery,
            @Nullable WaitStrategy wait,
            String victims,
            int churnPerSecond,
            String whose)
            throws Exception {
        StormPlan plan =
                new StormPlan(
                        CQS, delivery, wait, CQS, Duration.ofSeconds(50), 1, 64, churnPerSecond);
        try (Context context = Verbs.device("soft0").open()) {
            Storm storm = new Storm(context, plan, false, new StormState(CQS, new Deadly(victims)));
            StormResult result = storm.run();
            assertThat(result.isGood()).isFalse();
            assertThat(result.failures())
                    .anyMatch(
                            failure ->
                                    failure.contains(whose)
                                            && failure.endsWith("AssertionError: planted"));
            assertThat(result.seconds()).isLessThan(40);
        }
    }
}
