package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How often a wait that parks is timed: rarely where polling is of no use. */
@Timeout(60)
class AdaptivePollingTest {
    private static final long SOON = 1_000;
    private static final long LATE = 1_000_000;
    private static final int LONGEST = 1024;

    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.direct();
    private final AdaptivePolling polling = new AdaptivePolling();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** How many waits are not timed before one that is. */
    private int untimed() {
        int n = 0;
        while (!polling.isToTime()) {
            n++;
        }
        return n;
    }

    private void lengthenToTheEnd() {
        for (int i = 0; i < 10; i++) {
            polling.waited(LATE);
        }
    }

    @Test
    void timedWaitsBecomeRare() {
        assertThat(untimed()).isZero();
        for (int interval = 16; interval <= LONGEST; interval *= 2) {
            polling.waited(LATE);
            assertThat(untimed()).isEqualTo(interval);
        }
        for (int i = 0; i < 20; i++) {
            polling.waited(LATE);
            assertThat(untimed()).isEqualTo(LONGEST);
        }
    }

    /** Polling in vain is a reason to try it less often. */
    @Test
    void pollingInVainMakesThemRarer() {
        WorkCompletions batch = WorkCompletions.allocate(4);
        polling.waited(SOON);
        assertThat(polling.poll(cq, batch, 1)).isFalse();
        assertThat(untimed()).isEqualTo(16);
        assertThat(polling.poll(cq, batch, 1)).as("it parks now").isFalse();
    }

    /** Polling that finds completions, again and again, brings it back. */
    @Test
    void successMakesThemMoreFrequent() {
        WorkCompletions none = WorkCompletions.allocate(4);
        WorkCompletions some = WorkCompletions.allocate(4);
        Fixture.Source source = f.source(cq);
        source.complete(1);
        Fixture.eventually("it has completed", () -> cq.pollMore(some) == 1);
        lengthenToTheEnd();
        polling.waited(SOON);
        for (int i = 0; i < 100; i++) {
            assertThat(polling.poll(cq, some, 1)).isTrue();
        }
        assertThat(polling.poll(cq, none, 1)).isFalse();
        assertThat(untimed()).isLessThan(64);
    }
}
