package io.loomverbs.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Schedules find what is wrong: each fault that is planted, within the number that verify plays.
 */
@Timeout(600)
class PlantedFaultsTest {
    /** Kept from being collected, as its level would be. */
    private static final Logger LOGGER = Logger.getLogger("io.loomverbs");

    @BeforeAll
    static void expectWarnings() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterAll
    static void showWarnings() {
        LOGGER.setLevel(null);
    }

    static List<Fault> faults() {
        return Faults.all();
    }

    @ParameterizedTest
    @MethodSource("faults")
    void isFound(Fault fault) {
        Player player = World.with(fault);
        long budget = Seeds.defaultFor(player.scenarios().size());
        for (long seed = 1; seed <= budget; seed++) {
            Outcome outcome = player.play(fault.scenario(), seed, false);
            if (outcome.failure() != null) {
                assertThat(outcome.failure()).doesNotContain(Fault.NO_PLACE);
                checkReport(player, fault, seed, outcome);
                System.out.println(fault + ": found by schedule " + seed);
                return;
            }
        }
        fail("no schedule of " + budget + " has found it");
    }

    private static void checkReport(Player player, Fault fault, long seed, Outcome outcome) {
        Outcome again = player.play(fault.scenario(), seed, true);
        assertThat(again.fingerprint()).isEqualTo(outcome.fingerprint());
        assertThat(Seeds.report(player, fault.scenario(), seed, outcome.failure()))
                .contains(Seeds.replay(fault.scenario(), seed))
                .contains("the last steps")
                .doesNotContain("went well");
    }
}
