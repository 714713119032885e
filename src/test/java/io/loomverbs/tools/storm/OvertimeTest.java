package io.loomverbs.tools.storm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Context;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.util.concurrent.FutureTask;

/** A storm succeeds or fails by what happens in it, not by how much happens in a time. */
@Timeout(120)
class OvertimeTest {
    private static final int CQS = 50;

    private static StormPlan plan(StormDelivery delivery, int channels, int churnPerSecond) {
        return new StormPlan(
                CQS,
                delivery,
                null,
                channels,
                Duration.ofNanos(1),
                1,
                StormMessage.MIN_BYTES,
                churnPerSecond);
    }

    /** However short the time is, as on a machine that does little in it. */
    @ParameterizedTest
    @CsvSource({"DIRECT, 1, 0", "DIRECT, 1, 20", "CHANNEL, 3, 0", "CHANNEL, 50, 20"})
    void eachHandlerHasHadWork(StormDelivery delivery, int channels, int churnPerSecond)
            throws Exception {
        try (Context context = Verbs.device("soft0").open()) {
            StormPlan plan = plan(delivery, channels, churnPerSecond);
            StormResult result = new Storm(context, plan, false).run();
            assertThat(result.failures()).isEmpty();
            assertThat(result.handlers()).isEqualTo(CQS);
            assertThat(result.isGood()).isTrue();
        }
    }

    private static StormState allBut(int idle) {
        StormState state = new StormState(CQS);
        for (int i = idle; i < CQS; i++) {
            state.tally().event(i, i);
        }
        return state;
    }

    @Test
    void whatStandsStillIsStuck() throws Exception {
        StormState state = allBut(2);
        new Overtime(plan(StormDelivery.DIRECT, 1, 0), state, 20, 1_000).await();
        assertThat(state.failures().first())
                .hasToString(
                        "[the storm is stuck: java.lang.IllegalStateException: 2 of 50 handlers"
                                + " have had no event; nothing moves any more]");
        assertThat(state.stopping()).isTrue();
    }

    @Test
    void aHandlerThatIsPassedOverIsStuck() throws Exception {
        StormState state = allBut(1);
        FutureTask<Void> others =
                new FutureTask<>(
                        () -> {
                            while (!state.stopping()) {
                                state.tally().event(1, 1);
                            }
                            return null;
                        });
        Thread.ofPlatform().start(others);
        new Overtime(plan(StormDelivery.CHANNEL, 1, 0), state, Overtime.LOOKS, 100).await();
        others.get();
        assertThat(state.failures().first().toString())
                .contains("1 of 50 handlers have had no event; 100 more events for each CQ");
    }

    @Test
    void aChurnThatDestroysNothingIsStuck() throws Exception {
        StormState state = allBut(0);
        new Overtime(plan(StormDelivery.DIRECT, 1, 20), state, 20, 1_000).await();
        assertThat(state.failures().first().toString()).contains("no CQ was destroyed under load");
    }

    @Test
    void itEndsWithTheLastHandlersFirstEvent() throws Exception {
        StormState state = allBut(1);
        FutureTask<Void> waiting =
                new FutureTask<>(
                        () -> {
                            new Overtime(plan(StormDelivery.DIRECT, 1, 0), state).await();
                            return null;
                        });
        Thread.ofPlatform().start(waiting);
        state.tally().event(0, 0);
        waiting.get();
        assertThat(state.failures().count()).isZero();
        assertThat(state.stopping()).isFalse();
    }

    @Test
    void aStormThatIsToStopWaitsForNobody() throws Exception {
        StormState state = allBut(1);
        state.stop();
        new Overtime(plan(StormDelivery.DIRECT, 1, 0), state).await();
        assertThat(state.failures().count()).isZero();
    }
}
