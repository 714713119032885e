package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Turns;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Threads that let others come first, as they do before they wait for events: some with a timeout,
 * some interrupted. In some schedules there is no memory for another thread now and then. All come
 * back, and then nobody is in the list, on the way, or behind a gate.
 */
final class TurnsScenario implements Scenario {
    private static final long SOON = 1_000_000;

    @Override
    public void play(Schedule schedule) {
        SplittableRandom random = new SplittableRandom(schedule.between(0, Integer.MAX_VALUE - 1));
        new Play(schedule, eager(random)).run();
    }

    /** Turns that are taken all the time. */
    static Turns eager(SplittableRandom random) {
        int failing = random.nextInt(4) == 0 ? 4 : 0;
        long gap = random.nextInt(2) * SOON;
        Turns.Pace pace = new Turns.Pace(1, 0, gap, 1 + random.nextInt(2), random.nextInt(2));
        return new Turns(task -> thread(random, failing, task), pace);
    }

    private static Thread thread(SplittableRandom random, int failing, Runnable task) {
        if (failing > 0 && random.nextInt(failing) == 0) {
            throw new OutOfMemoryError("as planned");
        }
        return SchedulePoint.unstarted(SchedulePoint.ofVirtual().name("turns"), task);
    }

    private static final class Play {
        private final Schedule schedule;
        private final Turns turns;
        private final EventQueue queue = EventQueue.ofOneCq(null);
        private final List<Thread> interrupted = new ArrayList<>();

        Play(Schedule schedule, Turns turns) {
            this.schedule = schedule;
            this.turns = turns;
        }

        void run() {
            for (int n = schedule.between(2, 4); n > 0; n--) {
                schedule.thread("patient", this::comeLater);
            }
            if (schedule.oneIn(2)) {
                schedule.thread("impatient", this::comeInTime);
            }
            if (schedule.oneIn(2)) {
                interrupted.add(schedule.thread("interrupted", this::beInterrupted));
                schedule.thread("interrupter", () -> interrupted.getFirst().interrupt());
            }
            schedule.run();
        }

        private void comeLater() {
            for (int n = schedule.between(2, 5); n > 0; n--) {
                check(turns.before(queue, Long.MAX_VALUE) == Long.MAX_VALUE, "a limit");
            }
        }

        private void comeInTime() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                long nanos = schedule.timeout().toNanos();
                long start = schedule.nanoTime();
                long left = turns.before(queue, nanos);
                check(
                        left <= nanos && left >= nanos - (schedule.nanoTime() - start),
                        "what is left is " + left);
            }
        }

        private void beInterrupted() {
            boolean before = false;
            for (int n = schedule.between(1, 3); n > 0; n--) {
                turns.before(queue, Long.MAX_VALUE);
                boolean now = Thread.currentThread().isInterrupted();
                check(now || !before, "an interrupt is lost");
                before = now;
            }
        }
    }
}
