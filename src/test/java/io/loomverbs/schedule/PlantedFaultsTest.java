package io.loomverbs.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.loomverbs.fault.Fault;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Schedules find what is wrong: each fault that is planted, within the number that verify plays.
 */
@Tag("planted")
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

    static Stream<Arguments> faults() {
        return Fault.all().stream()
                .flatMap(fault -> fault.scenarios().stream().map(name -> arguments(fault, name)));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void isFound(Fault fault, String scenario) {
        Player player = World.with(fault);
        long budget = Seeds.defaultFor(player.scenarios().size());
        for (long seed = 1; seed <= budget; seed++) {
            Outcome outcome = player.play(scenario, seed, false);
            if (outcome.failure() != null) {
                assertThat(outcome.failure()).doesNotContain(Fault.NO_PLACE);
                checkReport(player, scenario, seed, outcome);
                System.out.println(fault + ": " + scenario + " found it in schedule " + seed);
                return;
            }
        }
        fail("no schedule of " + budget + " has found it");
    }

    private static void checkReport(Player player, String scenario, long seed, Outcome outcome) {
        Outcome again = player.play(scenario, seed, true);
        assertThat(again.fingerprint()).isEqualTo(outcome.fingerprint());
        assertThat(Seeds.report(player, scenario, seed, outcome.failure()))
                .contains(Seeds.replay(scenario, seed))
                .contains("the last steps")
                .doesNotContain("went well");
    }
}
