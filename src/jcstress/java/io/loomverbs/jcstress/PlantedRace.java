package io.loomverbs.jcstress;

import io.loomverbs.fault.Fault;
import io.loomverbs.fault.SecondCopy;
import io.loomverbs.internal.event.Patience;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.TestInfo;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.grading.TestGrading;
import org.openjdk.jcstress.infra.runners.CounterThread;
import org.openjdk.jcstress.infra.runners.ForkedTestConfig;
import org.openjdk.jcstress.infra.runners.Runner;
import org.openjdk.jcstress.infra.runners.TestConfig;
import org.openjdk.jcstress.os.AffinityMode;
import org.openjdk.jcstress.os.NodeType;
import org.openjdk.jcstress.os.SchedulingClass;
import org.openjdk.jcstress.util.Counter;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A race that runs in this JVM, on a second copy of all classes, with a fault in one of them. */
final class PlantedRace {
    /** Longer than anything waits in a race. */
    private static final long MOST_NANOS = 90_000_000_000L;

    private static final long LOOK_MILLIS = 100;

    private final TestInfo race;
    private final Fault fault;
    private final String outcome;
    private final TestResult seen = new TestResult(Status.NORMAL);
    private ClassLoader copy;

    /** The fault must show as this forbidden outcome. */
    PlantedRace(TestInfo race, Fault fault, String outcome) {
        this.race = race;
        this.fault = fault;
        this.outcome = outcome;
        if (race.cases().stream()
                .filter(c -> c.expect() == Expect.FORBIDDEN)
                .noneMatch(c -> c.matchPattern().equals(outcome))) {
            throw new AssertionError("it cannot be seen");
        }
        this.copy = newCopy();
    }

    private ClassLoader newCopy() {
        return new SecondCopy(Optional.of(fault), Set.of(Patience.class.getName()));
    }

    /**
     * Runs the race for as long as the options say, and answers how often the fault has shown.
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
            seen.addMessage(failure.toString());
            copy = newCopy();
            return 0;
        }
        seen.setConfig(config);
        actors.forEach(actor -> add(actor.result()));
        return TestGrading.grade(seen).gradingResults.values().stream()
                .filter(state -> state.expect == Expect.FORBIDDEN && state.id.matches(outcome))
                .mapToLong(state -> state.count)
                .sum();
    }

    /**
     * Waits for all, and returns null; or returns why one has failed: others may wait for it and
     * never end.
     */
    private static @Nullable Throwable await(List<? extends CounterThread<?>> actors)
            throws InterruptedException {
        long start = System.nanoTime();
        for (boolean alive = true; alive; ) {
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
        }
        return null;
    }

    private <R> void add(Counter<R> results) {
        results.elementSet().forEach(r -> seen.addState(r.toString(), results.count(r)));
    }

    /** Every outcome that was seen until now and how often, and what actors have thrown. */
    String seen() {
        return seen.getStateKeys().stream().map(s -> s + ": " + seen.getCount(s)).toList()
                + " "
                + Set.copyOf(seen.getMessages());
    }
}
