package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** After how many waits it tries again whether polling helps. */
@Timeout(60)
class AdaptivePollingTest {
    private static final int MOST_WAITS = 1024;

    private final Fixture f = new Fixture();
    private final AdaptivePolling polling = new AdaptivePolling();

    @AfterEach
    void close() throws Exception {
        f.close();
    }

    private int waitsUntilTried() {
        int n = 0;
        while (!polling.isToTime()) {
            n++;
        }
        return n;
    }

    private void late() {
        polling.waited(Long.MAX_VALUE);
    }

    private void soon() {
        polling.waited(0);
    }

    /** Polls as a platform thread does, on which nothing is scheduled. */
    private boolean poll(int min) throws Exception {
        CompletionQueue cq = f.direct();
        WorkCompletions batch = WorkCompletions.allocate(1);
        return f.start(
                        Thread.ofPlatform(),
                        "poller",
                        () -> polling.poll(cq, batch, min, 0, Long.MAX_VALUE, null))
                .get();
    }

    @Test
    void eventsThatComeLateAreTimedMoreAndMoreSeldom() {
        for (int waits = 16; waits <= MOST_WAITS; waits *= 2) {
            late();
            assertThat(waitsUntilTried()).isEqualTo(waits);
        }
        late();
        assertThat(waitsUntilTried()).isEqualTo(MOST_WAITS);
    }

    @Test
    void pollingInVainLengthensTheInterval() throws Exception {
        late();
        soon();
        assertThat(poll(1)).isFalse();
        assertThat(waitsUntilTried()).isEqualTo(32);
        assertThat(poll(0)).as("it parks at once").isFalse();
    }

    @Test
    void pollingThatHelpsShortensIt() throws Exception {
        for (int waits = 16; waits <= MOST_WAITS; waits *= 2) {
            late();
        }
        soon();
        for (int i = 0; i < 20; i++) {
            assertThat(poll(0)).isTrue();
        }
        assertThat(poll(1)).isFalse();
        assertThat(waitsUntilTried()).isLessThan(MOST_WAITS).isGreaterThan(16);
    }
}
