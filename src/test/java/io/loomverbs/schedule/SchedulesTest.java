package io.loomverbs.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Every scenario under many schedules. A failure names the command that replays it. */
@Timeout(600)
class SchedulesTest {
    private static final Player PLAYER = World.shipped();

    static List<String> scenarios() {
        return PLAYER.scenarios();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void holdsUnderEverySchedule(String scenario) {
        Seeds seeds = Seeds.of(scenario, PLAYER.scenarios().size());
        for (long seed = seeds.first(); seed < seeds.end(); seed++) {
            String failure = PLAYER.play(scenario, seed, false).failure();
            if (failure != null) {
                fail(Seeds.report(PLAYER, scenario, seed, failure));
            }
        }
    }

    /** In another world too, so that a seed that has failed can be replayed by another JVM. */
    @ParameterizedTest
    @MethodSource("scenarios")
    void aSeedAlwaysGoesTheSameWay(String scenario) {
        int seeds = 500;
        Player other = World.shipped();
        Set<Long> ways = new HashSet<>();
        for (long seed = 1; seed <= seeds; seed++) {
            Outcome outcome = PLAYER.play(scenario, seed, false);
            assertThat(other.play(scenario, seed, false)).as("seed %d", seed).isEqualTo(outcome);
            ways.add(outcome.fingerprint());
        }
        assertThat(ways).hasSizeGreaterThan(seeds / 4);
    }
}
