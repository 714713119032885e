package io.loomverbs.walk;

import static org.junit.jupiter.api.Assertions.fail;

import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random walks over the whole API on the device under test, without the model of {@link
 * ApiWalkTest}: a call ends, with a result or as documented, what is in use stays open, and all
 * closes at the end. {@code walk.walks} says how many, {@code walk.first} with which seed the
 * first.
 */
@Tag("device")
@Timeout(24 * 3600) // each step is bounded, see Walk
class DeviceWalkTest {
    private static final int STEPS = 300;
    private static final int WALKS = Integer.getInteger("walk.walks", 10);

    @Test
    void holdsWhateverIsCalled() throws InterruptedException {
        long first = Long.getLong("walk.first", 1);
        for (long seed = first; seed < first + WALKS; seed++) {
            Walk walk = new Walk(Fixture.DEVICE, seed, false);
            String problem = walk.take(Steps.asked(STEPS));
            if (problem != null) {
                int end = walk.log.size();
                fail(
                        "on "
                                + Fixture.DEVICE
                                + ", -Dwalk.walks=1 -Dwalk.first="
                                + seed
                                + ":\n"
                                + String.join("\n", walk.log.subList(Math.max(0, end - 30), end))
                                + "\n"
                                + problem);
            }
        }
    }
}
