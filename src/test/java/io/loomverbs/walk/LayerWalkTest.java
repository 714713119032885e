package io.loomverbs.walk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.loomverbs.misuse.ApiMethods;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Random walks over the packages above the verbs, such as {@code io.loomverbs.blocking}, by one
 * thread and by three. {@code walk.walks} says how many, {@code walk.first} with which seed the
 * first.
 */
@Tag("device")
@Timeout(24 * 3600) // each step is bounded, see LayerWalk
class LayerWalkTest {
    private static final int STEPS = 300;
    private static final int WALKS = Integer.getInteger("walk.walks", 10);

    /** So many until each method was called: a few do. */
    private static final int MOST = 300;

    @Test
    void holdsWhateverIsCalled() throws InterruptedException {
        walk(1);
    }

    @Test
    void holdsWhateverOthersDo() throws InterruptedException {
        walk(3);
    }

    /**
     * A method of which a walk has no receiver or argument would be left out. On the quickest
     * device: where requests time out, it takes many walks until some methods have a receiver.
     */
    @Test
    void everyMethodIsCalled() throws InterruptedException {
        Set<String> left =
                LayerWalk.METHODS.stream()
                        .map(ApiMethods::name)
                        .collect(Collectors.toCollection(TreeSet::new));
        for (long seed = 1; seed <= MOST && !left.isEmpty(); seed++) {
            left.removeAll(take("soft0", seed, 1).called);
        }
        assertThat(left).isEmpty();
    }

    private static void walk(int threads) throws InterruptedException {
        long first = Long.getLong("walk.first", 1);
        for (long seed = first; seed < first + WALKS; seed++) {
            take(Fixture.DEVICE, seed, threads);
        }
    }

    private static LayerWalk take(String device, long seed, int threads)
            throws InterruptedException {
        LayerWalk walk = new LayerWalk(device, seed, threads);
        String problem = walk.take(STEPS);
        if (problem != null) {
            List<String> log = new ArrayList<>(walk.log);
            fail(
                    "on "
                            + device
                            + ", -Dwalk.walks=1 -Dwalk.first="
                            + seed
                            + ":\n"
                            + String.join(
                                    "\n", log.subList(Math.max(0, log.size() - 30), log.size()))
                            + "\n"
                            + problem);
        }
        return walk;
    }
}
