package io.loomverbs.jcstress;

import io.loomverbs.fault.Fault;
import io.loomverbs.fault.SecondCopy;
import io.loomverbs.internal.event.Patience;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.StateCase;
import org.openjdk.jcstress.infra.TestInfo;
import org.openjdk.jcstress.infra.runners.CounterThread;
import org.openjdk.jcstress.infra.runners.ForkedTestConfig;
import org.openjdk.jcstress.infra.runners.Runner;
import org.openjdk.jcstress.infra.runners.TestConfig;
import org.openjdk.jcstress.os.AffinityMode;
import org.openjdk.jcstress.os.NodeType;
import org.openjdk.jcstress.os.SchedulingClass;
import org.openjdk.jcstress.util.Counter;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A race that runs in this JVM, on a second copy of all classes, with a fault in one of them. */
final class PlantedRace {
    /** Longer than anything waits in a race. */
    private static final long MOST_NANOS = 90_000_000_000L;

    private static final long LOOK_MILLIS = 100;

    private static final int MOST_FAILURES = 20;

    private final TestInfo race;
    private final Fault fault;
    private final StateCase expected;
    private final Map<String, Long> seen = new TreeMap<>();
    private ClassLoader copy;
    private int failures;

    /**
     * @param outcome the id of the forbidden outcome that the fault must show as
     */
    PlantedRace(TestInfo race, Fault fault, String outcome) {
        this.race = race;
        this.fault = fault;
        this.expected =
                race.cases().stream()
                        .filter(c -> c.expect() == Expect.FORBIDDEN)
                        .filter(c -> c.matchPattern().equals(outcome))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("it cannot be seen"));
        this.copy = newCopy();
    }

    private ClassLoader newCopy() {
        return new SecondCopy(Optional.of(fault), Set.of(Patience.class.getName()));
    }

    /**
     * Runs the race for as long as the options say, and answers how often it was expected.
     *
     * <p>A fault may also break what an actor does afterwards, so that it throws. Then the next run
     * begins with classes that are not broken.
     */
    long run(Options options) throws InterruptedException, ReflectiveOperationException {
        SchedulingClass anyCpu =
                new SchedulingClass(AffinityMode.NONE, race.threads(), NodeType.PACKAGE);
        TestConfig config = new TestConfig(options, race, 0, List.of(), 0, anyCpu);
        Runner<?> runner =
                Class.forName(race.generatedRunner(), true, copy)
                        .asSubclass(Runner.class)
                        .getConstructor(ForkedTestConfig.class)
                        .newInstance(new ForkedTestConfig(config));
        List<? extends CounterThread<?>> actors = runner.internalRun();
        Throwable failure = await(actors);
        if (failure != null) {
            seen.merge(failure.toString(), 1L, Long::sum);
            if (++failures == MOST_FAILURES) {
                throw new IllegalStateException(failures + " runs have failed", failure);
            }
            copy = newCopy();
            return 0;
        }
        return actors.stream().mapToLong(actor -> count(actor.result())).sum();
    }

    /**
     * Waits for all, and returns null; or returns why one has failed: others may wait for it and
     * never end.
     */
    private static @Nullable Throwable await(List<? extends CounterThread<?>> actors)
            throws InterruptedException {
        long start = System.nanoTime();
        boolean alive;
        do {
            alive = false;
            for (CounterThread<?> actor : actors) {
                actor.join(LOOK_MILLIS);
                alive |= actor.isAlive(); // before the look: it may fail and end in between
                if (actor.throwable() != null) {
                    return actor.throwable();
                }
                if (System.nanoTime() - start > MOST_NANOS) {
                    throw new IllegalStateException(
                            actor + " stands still at " + List.of(actor.getStackTrace()));
                }
            }
        } while (alive);
        return null;
    }

    private <R> long count(Counter<R> results) {
        long expected = 0;
        for (R result : results.elementSet()) {
            seen.merge(result.toString(), results.count(result), Long::sum);
            expected += isExpected(result.toString()) ? results.count(result) : 0;
        }
        return expected;
    }

    /** Every outcome that was seen until now, and how often. */
    Map<String, Long> seen() {
        return seen;
    }

    /** Judged as by JCStress: by the first case that is equal, else by the first that matches. */
    private boolean isExpected(String state) {
        return Stream.<Predicate<StateCase>>of(c -> c.matchesExactly(state), c -> c.matches(state))
                .flatMap(how -> race.cases().stream().filter(how))
                .findFirst()
                .filter(c -> c.expect() == Expect.FORBIDDEN && expected.matches(state))
                .isPresent();
    }
}
