package io.loomverbs.walk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.loomverbs.misuse.ApiMethods;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Random walks over the whole API on the embedded devices. {@code walk.seconds} says for how long,
 * {@code walk.seed} and {@code walk.steps} replay one.
 */
@Timeout(24 * 3600) // each step is bounded, see Walk
class ApiWalkTest {
    private static final int STEPS = 300;

    /** So many until each method was called: fewer do. */
    private static final int MOST = 300;

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void holdsWhateverIsCalled(String device) throws InterruptedException {
        long start = System.nanoTime();
        Duration time = Duration.ofSeconds(Long.getLong("walk.seconds", 3));
        Long one = Long.getLong("walk.seed");
        long seed = one != null ? one : Long.getLong("walk.first", 1);
        do {
            Walk walk = new Walk(device, seed, true);
            int[] steps = Steps.asked(STEPS);
            String problem = walk.take(steps);
            if (problem != null) {
                fail(report(device, seed, steps, walk.log, problem));
            }
            seed++;
        } while (one == null && System.nanoTime() - start < time.toNanos());
    }

    /** A method of which a walk has no receiver or argument would be left out. */
    @Test
    void everyMethodIsCalled() throws InterruptedException {
        Set<String> left =
                Stream.concat(ApiCall.ALL.stream(), ApiCall.TESTKIT.stream())
                        .filter(e -> !ApiCall.onlyTells(e))
                        .map(ApiMethods::name)
                        .collect(Collectors.toCollection(TreeSet::new));
        for (long seed = 1; seed <= MOST && !left.isEmpty(); seed++) {
            Walk walk = new Walk("soft0", seed, true);
            int[] steps = Steps.first(STEPS);
            String problem = walk.take(steps);
            if (problem != null) {
                fail(report("soft0", seed, steps, walk.log, problem));
            }
            left.removeAll(walk.called);
        }
        left.remove("CqEvent.close()"); // that of the model's events
        // Whether there is one depends on time.
        left.removeIf(name -> name.startsWith("AsyncEvent."));
        assertThat(left).isEmpty();
    }

    private static String report(
            String device, long seed, int[] steps, List<String> log, String problem)
            throws InterruptedException {
        int[] fewest = steps;
        String shown = String.join("\n", log.subList(Math.max(0, log.size() - 40), log.size()));
        String last = problem;
        if (!problem.startsWith("hangs")) {
            fewest =
                    Steps.fewest(
                            Arrays.copyOf(steps, Math.min(steps.length, log.size() + 1)),
                            some -> new Walk(device, seed, true).take(some));
            Walk again = new Walk(device, seed, true);
            String once = again.take(fewest);
            if (once != null) {
                last = once;
                shown = String.join("\n", again.log);
            }
        }
        return "on "
                + device
                + ", seed "
                + seed
                + ". To replay it:\nmvn -B test -Dtest=ApiWalkTest -Dwalk.seed="
                + seed
                + " -Dwalk.steps="
                + Steps.text(fewest)
                + "\n\nThe last steps:\n"
                + shown
                + "\n"
                + last;
    }
}
