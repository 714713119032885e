package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

class NativeIdsTest {
    private final NativeIds<Object> registry = new NativeIds<>();

    /** As many objects as there are, each is found by its number, before and after it has grown. */
    @Test
    void everyObjectIsFound() {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            ids.add(registry.add(i));
            assertThat(registry.get(ids.get(i / 2))).isEqualTo(i / 2);
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(registry.get(ids.get(i))).isEqualTo(i);
        }
        assertThat(new HashSet<>(ids)).hasSize(1000).doesNotContain(0L);
    }

    /** Places are used again, numbers are not. */
    @Test
    void numbersAreNotUsedAgain() {
        Set<Long> ids = new HashSet<>();
        Set<Integer> places = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            long id = registry.add(i);
            ids.add(id);
            places.add((int) id);
            registry.remove(id);
            assertThat(registry.get(id)).isNull();
        }
        assertThat(ids).hasSize(100);
        assertThat(places).hasSize(1);
    }

    /** Numbers that were never given find nothing; one that was taken back takes nothing else. */
    @Test
    void unknownNumbersFindNothing() {
        long id = registry.add("it");
        for (long unknown : new long[] {0, -1, id + 1, id + (1L << 32), Long.MIN_VALUE, 1 << 30}) {
            assertThat(registry.get(unknown)).isNull();
        }
        registry.remove(id);
        registry.remove(id);
        long next = registry.add("another one at its place");
        registry.remove(id);
        assertThat(registry.get(next)).isEqualTo("another one at its place");
        assertThat(registry.add("the next")).as("a place that was free once").isNotEqualTo(next);
    }

    /** A place whose generations are used up is given up: else its first number came again. */
    @Test
    void aPlaceEndsWithItsGenerations() throws Exception {
        int[] generations =
                (int[])
                        MethodHandles.privateLookupIn(NativeIds.class, MethodHandles.lookup())
                                .findVarHandle(NativeIds.class, "generations", int[].class)
                                .get(registry);
        generations[0] = -2;
        long last = registry.add("the last at its place");
        assertThat(last).isEqualTo(-1L << 32);
        assertThat(registry.get(last)).isEqualTo("the last at its place");
        registry.remove(last);
        assertThat((int) registry.add("the next")).isEqualTo(1);
        assertThat((int) registry.add("another")).isEqualTo(2);
    }
}
