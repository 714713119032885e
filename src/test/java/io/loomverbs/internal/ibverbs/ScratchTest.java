package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScratchTest {
    /** A program that starts a virtual thread for each request gets there in days. */
    @ParameterizedTest
    @ValueSource(longs = {1, 15, Integer.MAX_VALUE, (1L << 31) + 5, (1L << 32) - 1, Long.MAX_VALUE})
    void everyThreadHasAPlace(long threadId) {
        assertThat(Scratch.place(threadId)).isBetween(0, 255);
    }
}
