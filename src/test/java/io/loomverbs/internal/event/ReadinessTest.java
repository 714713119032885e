package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A descriptor that cannot be raised or lowered for lack of memory. */
class ReadinessTest {
    private final Error error = new OutOfMemoryError("planted");

    /** How many calls meet the Error. */
    private int failing;

    private boolean readable;

    private final Readiness readiness =
            Readiness.of(
                    new ReadyFd() {
                        @Override
                        public int number() {
                            return 0;
                        }

                        @Override
                        public void raise() {
                            fail();
                            readable = true;
                        }

                        @Override
                        public void lower() {
                            fail();
                            readable = false;
                        }

                        @Override
                        public void close() {}
                    });

    private void fail() {
        if (failing > 0) {
            failing--;
            throw error;
        }
    }

    /** Nothing else shows what came up. */
    @Test
    void anErrorThatPassesHidesNothing() {
        failing = 2;
        readiness.raise();
        assertThat(readable).isTrue();
    }

    /** The caller has threads to wake. */
    @Test
    void anErrorThatStaysIsNotThrownAndTheNextRaiseShows() {
        failing = Integer.MAX_VALUE;
        readiness.raise();
        assertThat(readable).isFalse();
        failing = 0;
        readiness.raise();
        assertThat(readable).isTrue();
    }

    /** The thread that has just taken something must get it. */
    @Test
    void anErrorLeavesItReadableUntilTheNextLook() {
        readiness.raise();
        failing = 1;
        readiness.lower();
        assertThat(readable).isTrue();
        readiness.lower();
        assertThat(readable).isFalse();
    }
}
