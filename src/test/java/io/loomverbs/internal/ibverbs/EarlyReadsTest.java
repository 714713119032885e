package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EarlyReadsTest {
    private final EarlyReads reads = new EarlyReads();

    /** How many waits ask the set before one reads first, which is then done with this result. */
    private int waitsUntilRead(boolean found) {
        int waits = 0;
        while (reads.next() == 0) {
            assertThat(waits).isLessThanOrEqualTo(EarlyReads.LONGEST);
            waits++;
        }
        reads.done(found);
        return waits;
    }

    @Test
    void nothingIsReadBeforeTheSetHasReportedIt() {
        for (int n = 0; n < 100; n++) {
            assertThat(reads.next()).isZero();
        }
        reads.reported(7);
        for (int n = 0; n < EarlyReads.SHORTEST; n++) {
            assertThat(reads.next()).isZero();
        }
        assertThat(reads.next()).isEqualTo(7);
    }

    @Test
    void whatReadsInVainIsTriedLessAndLessOften() {
        reads.reported(7);
        assertThat(waitsUntilRead(false)).isEqualTo(EarlyReads.SHORTEST);
        for (int waits = 2 * EarlyReads.SHORTEST; waits < EarlyReads.LONGEST; waits *= 2) {
            assertThat(waitsUntilRead(false)).isEqualTo(waits);
        }
        assertThat(waitsUntilRead(false)).isEqualTo(EarlyReads.LONGEST);
        assertThat(waitsUntilRead(true)).isEqualTo(EarlyReads.LONGEST);
        assertThat(waitsUntilRead(true)).isZero();
        assertThat(waitsUntilRead(false)).isZero();
        assertThat(waitsUntilRead(true)).isEqualTo(2 * EarlyReads.SHORTEST);
    }

    @Test
    void theSetIsAskedNowAndThen() {
        reads.reported(7);
        assertThat(waitsUntilRead(true)).isEqualTo(EarlyReads.SHORTEST);
        for (int round = 0; round < 3; round++) {
            for (int n = round == 0 ? 1 : 0; n < EarlyReads.MOST; n++) {
                assertThat(waitsUntilRead(true)).isZero();
            }
            assertThat(reads.next()).isZero();
        }
    }
}
