package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.VectorPolicy;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** CQs spread over completion vectors, however many of these the device has. */
class DeviceVectorsTest extends DeviceContract {
    private final int vectors = f.context.numCompVectors();

    private CompletionQueue on(int vector) {
        return f.own(f.context.createDirectCq(4, null, null, vector));
    }

    private List<Integer> load() {
        List<Integer> load = new ArrayList<>();
        for (int i = 0; i < vectors; i++) {
            load.add(f.context.cqsOnCompVector(i));
        }
        return load;
    }

    /** In turn, whatever is there. */
    @Test
    void roundRobin() {
        for (int i = 0; i < 3 * vectors; i++) {
            assertThat(f.context.chooseCompVector(VectorPolicy.ROUND_ROBIN)).isEqualTo(i % vectors);
        }
    }

    /** The counts follow creation and close, and choices even them out. */
    @Test
    void leastLoaded() {
        List<Integer> before = load(); // those of the contract are on vector 0
        CompletionQueue extra = on(0);
        assertThat(f.context.cqsOnCompVector(0)).isEqualTo(before.getFirst() + 1);
        for (int i = 0; i < 5 * vectors; i++) {
            on(f.context.chooseCompVector(VectorPolicy.LEAST_LOADED));
        }
        List<Integer> after = load();
        assertThat(after.stream().mapToInt(n -> n).sum())
                .isEqualTo(before.stream().mapToInt(n -> n).sum() + 1 + 5 * vectors);
        assertThat(Collections.max(after) - Collections.min(after)).isLessThanOrEqualTo(1);
        extra.close();
        assertThat(f.context.cqsOnCompVector(0)).isEqualTo(after.getFirst() - 1);
    }

    /** What serves a vector are processors that there are, if the system tells. */
    @Test
    void processors() {
        for (int i = 0; i < vectors; i++) {
            List<Integer> cpus = f.context.compVectorCpus(i);
            assertThat(cpus).isSorted().doesNotHaveDuplicates();
            assertThat(cpus).as("a device without interrupts").isEmpty();
        }
    }

    /** A hint is any number, and always means the same vector. */
    @Test
    void hints() {
        for (int hint : new int[] {0, 1, -1, vectors, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            int vector = f.context.compVectorFor(hint);
            assertThat(vector).isBetween(0, vectors - 1);
            assertThat(f.context.compVectorFor(hint)).isEqualTo(vector);
            on(vector);
        }
        assertThat(f.context.compVectorFor(1)).isEqualTo(1 % vectors);
    }
}
