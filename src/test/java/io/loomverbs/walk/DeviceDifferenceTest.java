package io.loomverbs.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * The same programmes of verbs, step by step, on {@code strict0} and on the device under test: what
 * comes of each step is the same, but for the {@link Deviation}s of soft-RoCE, which must be seen.
 * {@code walk.first} and {@code walk.programmes} say which.
 */
@Tag("device")
@Timeout(24 * 3600) // each step is bounded
class DeviceDifferenceTest {
    private static final int STEPS = 30;
    private static final int PROGRAMMES = Differences.EMBEDDED ? 20 : 150;

    /** For how long nothing must complete that a deviation keeps from completing. */
    private static final Duration HANG = Duration.ofMillis(300);

    private final Set<Deviation> allowed =
            Differences.EMBEDDED ? EnumSet.noneOf(Deviation.class) : EnumSet.allOf(Deviation.class);
    private final Set<Deviation> met = EnumSet.noneOf(Deviation.class);

    @Test
    void devicesAgree() throws Exception {
        List<String> differences = new ArrayList<>();
        long first = Long.getLong("walk.first", 1);
        Integer asked = Integer.getInteger("walk.programmes");
        for (long seed = first; seed < first + (asked != null ? asked : PROGRAMMES); seed++) {
            String difference = play(seed);
            if (difference != null) {
                differences.add("-Dwalk.first=" + seed + " -Dwalk.programmes=1\n" + difference);
            }
        }
        assertThat(String.join("\n", differences)).isEmpty();
        if (asked == null) {
            assertThat(met).as("what no longer differs is to leave the list").isEqualTo(allowed);
        }
    }

    @Test
    void everyDeviationIsInTheTable() throws Exception {
        String table = Files.readString(Path.of("docs/testing.md"));
        for (Deviation deviation : Deviation.values()) {
            assertThat(table).contains("\n| " + deviation.row);
        }
    }

    /** Answers the first difference, or null. */
    private @Nullable String play(long seed) {
        try (Programme strict = new Programme("strict0", seed);
                Programme other = new Programme(Fixture.DEVICE, seed)) {
            List<String> log = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                Doing doing = strict.step(step);
                other.step(step);
                Step taken = new Step(doing, strict, other);
                log.add(step + ": " + doing.text() + "\n      " + taken.expected);
                if (!taken.agrees()) {
                    return other
                            + "\n"
                            + String.join("\n", log)
                            + "\n  "
                            + taken.differing
                            + "\n      "
                            + taken.actual;
                }
                if (taken.parts) {
                    return null;
                }
                strict.forget(taken.failed());
                other.forget(taken.failed());
            }
            return null;
        }
    }

    /** A step on both devices. */
    private final class Step {
        private final Doing doing;
        private final Programme strict;
        private final Programme other;
        private final Set<Deviation> differing = EnumSet.noneOf(Deviation.class);
        private Seen expected;
        private boolean parts;
        private boolean hangs;
        private Seen actual;

        Step(Doing doing, Programme strict, Programme other) {
            this.doing = doing;
            this.strict = strict;
            this.other = other;
            long start = System.nanoTime();
            strict.look();
            while (!strict.isSettled() && within(start, Fixture.PATIENCE)) {
                LockSupport.parkNanos(100_000);
                strict.look();
            }
            if (!strict.isSettled()) {
                throw new AssertionError("strict0 does not settle: " + doing + strict.look());
            }
            this.expected = withDeviations(strict.look());
        }

        private Seen withDeviations(Seen seen) {
            Seen result = seen;
            for (Deviation deviation : allowed) {
                Seen changed = deviation.of(doing, result);
                if (!changed.equals(result)) {
                    differing.add(deviation);
                    parts |= deviation.parts();
                    hangs |= deviation.hangs();
                    result = changed;
                }
            }
            return result;
        }

        /** Waits until both have come to the same. */
        boolean agrees() {
            long start = System.nanoTime();
            do {
                LockSupport.parkNanos(50_000);
                expected = withDeviations(strict.look()); // an event may come later
                actual = other.look();
            } while (within(start, Fixture.PATIENCE.dividedBy(4))
                    && (!actual.agrees(expected) || (hangs && within(start, HANG))));
            met.addAll(differing);
            return actual.agrees(expected);
        }

        boolean failed() {
            return expected.memory() == null || strict.look().failed();
        }

        private static boolean within(long start, Duration limit) {
            return System.nanoTime() - start < limit.toNanos();
        }
    }
}
