package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;

import java.time.Duration;

/** CQ moderation: events that come after so many completions, or so much time. */
class DeviceModerationTest extends DeviceContract {
    /** Longer than a test waits for what must not come. */
    private static final Duration LONG = Duration.ofMillis(65);

    private final CompletionQueue cq = f.direct();
    private final Source source = f.source(cq);

    private boolean refuses() {
        if (Differences.moderates()) {
            return false;
        }
        assertThatThrownBy(() -> cq.moderate(4, LONG))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("ibv_modify_cq")
                .hasMessageContaining("EOPNOTSUPP")
                .hasMessageContaining(cq.toString());
        return true;
    }

    private CqEvent event(Duration timeout) throws InterruptedException {
        return cq.getCqEvent(timeout);
    }

    private void eventWithin(Duration timeout) throws InterruptedException {
        try (CqEvent event = event(timeout)) {
            assertThat(event).isNotNull();
        }
    }

    /** So many completions raise one event; the next arm begins to count anew. */
    @Test
    void byCount() throws Exception {
        if (refuses()) {
            return;
        }
        cq.moderate(3, Duration.ZERO);
        for (int round = 0; round < 2; round++) {
            cq.reqNotify(false);
            source.complete(1);
            source.complete(2);
            assertThat(event(Fixture.QUIET)).isNull();
            assertThat(cq.poll(batch)).as("polling is not delayed").isEqualTo(2);
            source.complete(3);
            eventWithin(Fixture.PATIENCE);
            source.complete(4);
            assertThat(event(Fixture.QUIET)).as("it is not armed").isNull();
            assertThat(cq.poll(batch)).isEqualTo(2);
        }
    }

    /** The period begins with the first completion after the arm. */
    @Test
    void byTime() throws Exception {
        if (refuses()) {
            return;
        }
        cq.moderate(100, Duration.ofMillis(40));
        cq.reqNotify(false);
        assertThat(event(LONG)).as("no completion").isNull();
        long start = System.nanoTime();
        source.complete(1);
        source.complete(2);
        eventWithin(Fixture.PATIENCE);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(40_000_000L);
        assertThat(event(LONG)).as("one arm, one event").isNull();
        assertThat(cq.poll(batch)).isEqualTo(2);
    }

    /** A wait ends in time, and by fewer events than completions. */
    @Test
    void aWait() throws Exception {
        if (refuses()) {
            return;
        }
        cq.moderate(8, Duration.ofMillis(5));
        Fixture.Task<Integer> waiter =
                f.start("waiter", () -> cq.await(batch, 10, Fixture.PATIENCE)).parked();
        for (int i = 0; i < 10; i++) {
            source.complete(i);
        }
        assertThat(waiter.get()).isEqualTo(10);
    }

    /** The wait is for as many as the CQ is moderated for: there is no further completion. */
    @Test
    void aWaitForAsMany() throws Exception {
        if (refuses()) {
            return;
        }
        cq.moderate(8, Duration.ZERO);
        Fixture.Task<Integer> waiter =
                f.start("waiter", () -> cq.await(batch, 8, Fixture.PATIENCE)).parked();
        for (int i = 0; i < 8; i++) {
            source.complete(i);
        }
        assertThat(waiter.get()).isEqualTo(8);
    }

    /** What waits is not forgotten when moderation is changed or ended. */
    @Test
    void aChange() throws Exception {
        if (refuses()) {
            return;
        }
        cq.moderate(100, Duration.ZERO);
        cq.reqNotify(false);
        source.complete(1);
        assertThat(event(Fixture.QUIET)).isNull();
        cq.moderate(0, Duration.ZERO);
        eventWithin(Fixture.PATIENCE);
        cq.reqNotify(false);
        source.complete(2);
        eventWithin(Fixture.PATIENCE);
    }

    /** A close does not wait for the period, nor does an event come after it. */
    @Test
    void aClose() {
        if (refuses()) {
            return;
        }
        CompletionQueue other = f.direct();
        Source completions = f.source(other);
        other.moderate(100, LONG);
        other.reqNotify(false);
        completions.complete(1);
        completions.close();
        other.close();
        assertThat(other.unackedEvents()).isZero();
    }
}
