package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Random;

/** A queue of numbers gives them out in order, however it grows. */
class LongFifoTest {
    @Test
    void inOrder() {
        LongFifo fifo = new LongFifo();
        ArrayDeque<Long> model = new ArrayDeque<>();
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            boolean grows = i % 2000 < 1000;
            if (model.isEmpty() || random.nextInt(3) < (grows ? 2 : 1)) {
                long value = random.nextLong();
                fifo.reserve();
                fifo.add(value);
                model.add(value);
            } else {
                assertThat(fifo.remove()).isEqualTo(model.remove());
            }
        }
    }
}
