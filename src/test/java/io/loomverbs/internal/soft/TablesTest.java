package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** The two structures under everything: numbered objects and rings of slots. */
class TablesTest {
    private record Numbered(int id) implements IdTable.Entry {}

    @Test
    void aTableFindsWhatItHoldsAndNothingElse() {
        IdTable<Numbered> table = new IdTable<>(3000, 5);
        Random random = new Random(1);
        List<Numbered> live = new ArrayList<>();
        Set<Integer> dead = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            if (live.isEmpty() || (random.nextInt(3) > 0 && live.size() < 3000)) {
                Numbered made = table.add(Numbered::new);
                assertThat(made).isNotNull();
                assertThat(made.id()).isBetween(2, 0xff_ffff);
                live.add(made);
                dead.remove(made.id());
            } else {
                Numbered gone = live.remove(random.nextInt(live.size()));
                table.remove(gone);
                dead.add(gone.id());
            }
        }
        assertThat(live).allSatisfy(n -> assertThat(table.find(n.id())).isSameAs(n));
        assertThat(dead).allMatch(id -> table.find(id) == null);
        List<Numbered> seen = new ArrayList<>();
        table.forEach(seen::add);
        assertThat(seen).containsExactlyInAnyOrderElementsOf(live);
        for (int strange : new int[] {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThat(table.find(strange)).isNull();
        }
    }

    /** The list of free numbers grows while its first is not in its first place. */
    @Test
    void freeNumbersComeBackInTheirOrder() {
        IdTable<Numbered> table = new IdTable<>(1000, 8);
        ArrayDeque<Numbered> live = new ArrayDeque<>();
        ArrayDeque<Integer> free = new ArrayDeque<>();
        for (int i = 0; i < 300; i++) {
            live.add(table.add(Numbered::new));
        }
        for (int round = 1; round <= 7; round++) {
            for (int i = 0; i < 11 * round; i++) {
                Numbered gone = live.remove();
                table.remove(gone);
                free.add(gone.id() + 1); // the next generation
            }
            for (int i = 0; i < 5 * round; i++) {
                Numbered made = table.add(Numbered::new);
                assertThat(made.id()).isEqualTo(free.remove());
                live.add(made);
            }
        }
    }

    @Test
    void aFullTableMakesNothing() {
        IdTable<Numbered> table = new IdTable<>(1, 8);
        Numbered one = table.add(Numbered::new);
        assertThat(one).isNotNull();

        assertThat(
                        table.add(
                                id -> {
                                    throw new AssertionError("made " + id);
                                }))
                .isNull();
        table.remove(one);
        assertThat(table.add(Numbered::new)).isNotNull().isNotEqualTo(one);
    }

    @Test
    void aNumberComesBackOnlyAfterAllItsGenerations() {
        IdTable<Numbered> table = new IdTable<>(1, 5);
        Set<Integer> ids = new HashSet<>();
        for (int i = 0; i < 32; i++) {
            Numbered n = table.add(Numbered::new);
            assertThat(n).isNotNull();
            ids.add(n.id());
            table.remove(n);
        }
        assertThat(ids).hasSize(32);
    }

    /** Against a plain queue, with more turns than the counters of the ring have room for slots. */
    @Test
    void aRingIsAQueueOfItsLimit() {
        for (int limit : new int[] {0, 1, 3, 4, 5, 8, 100}) {
            SlotRing<long[]> ring = new SlotRing<>(limit, () -> new long[1]);
            ArrayDeque<Long> model = new ArrayDeque<>();
            Random random = new Random(limit);
            for (long i = 0; i < 5_000; i++) {
                if (random.nextInt(100) < 52) {
                    ring.lock();
                    long[] slot = ring.claim(0);
                    assertThat(slot == null).isEqualTo(model.size() == limit);
                    if (slot != null) {
                        slot[0] = i;
                        ring.publish(1);
                        model.add(i);
                    }
                    ring.unlock();
                } else {
                    long[] slot = ring.peek();
                    assertThat(slot == null).isEqualTo(model.isEmpty());
                    if (slot != null) {
                        assertThat(slot[0]).isEqualTo(model.poll());
                        ring.advance();
                    }
                }
            }
        }
    }
}
