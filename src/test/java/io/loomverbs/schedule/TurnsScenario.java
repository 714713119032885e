package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Turns;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Threads that let others come first, as they do before they wait for events: some with a timeout,
 * some interrupted. In some schedules there is no memory for another thread now and then; in some
 * the threads sent outside find no carrier for long, and a guard lets all go on. All come back, and
 * then no thread is in the list, on the way, or behind a gate.
 */
final class TurnsScenario implements Scenario {
    private static final long SOON = 1_000_000;
    private static final long GUARD_NANOS = 100 * SOON;

    @Override
    public void play(Schedule schedule) {
        SplittableRandom random = new SplittableRandom(schedule.between(0, Integer.MAX_VALUE - 1));
        NoCarriers none = new NoCarriers();
        Turns turns = random.nextInt(4) == 0 ? guarded(random, none) : eager(random);
        new Play(schedule, turns, none).run();
    }

    /** What holds those that find no carrier, until all others have ended. */
    private static final class NoCarriers {
        private final List<Thread> held = new ArrayList<>();
        private boolean over;

        void runLate(Runnable task) {
            held.add(Thread.currentThread());
            while (!over) {
                SchedulePoint.park(this);
            }
            task.run();
        }

        void end() {
            over = true;
            List.copyOf(held).forEach(SchedulePoint::unpark);
        }
    }

    /** Turns that are taken all the time. A guard would hide what is wrong. */
    static Turns eager(SplittableRandom random) {
        int failing = random.nextInt(4) == 0 ? 4 : 0;
        return new Turns(
                task -> thread(random, failing, task),
                _ -> thread(random, failing, () -> {}),
                () -> failing == 0 && random.nextInt(4) == 0,
                slice(random));
    }

    /** All carriers are held now and then when a thread is sent outside. */
    private static Turns guarded(SplittableRandom random, NoCarriers none) {
        return new Turns(
                task -> thread(random, 0, random.nextBoolean() ? task : () -> none.runLate(task)),
                task -> thread(random, 0, task),
                () -> false,
                slice(random));
    }

    private static Turns.Slice slice(SplittableRandom random) {
        long nanos = random.nextInt(2) * SOON;
        return new Turns.Slice(
                1, nanos, nanos, 1 + random.nextInt(2), 1 + random.nextInt(2), GUARD_NANOS);
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
        private final NoCarriers none;
        private int left;
        private final EventQueue queue = EventQueue.ofOneCq(null);
        private final List<Thread> interrupted = new ArrayList<>();

        Play(Schedule schedule, Turns turns, NoCarriers none) {
            this.schedule = schedule;
            this.turns = turns;
            this.none = none;
        }

        void run() {
            for (int n = schedule.between(2, 4); n > 0; n--) {
                passer("patient", this::comeLater);
            }
            if (schedule.oneIn(2)) {
                passer("impatient", this::comeInTime);
            }
            if (schedule.oneIn(2)) {
                interrupted.add(passer("interrupted", this::beInterrupted));
                schedule.thread("interrupter", () -> interrupted.getFirst().interrupt());
            }
            schedule.run();
        }

        private Thread passer(String name, Schedule.Body body) {
            left++;
            return schedule.thread(
                    name,
                    () -> {
                        body.run();
                        if (--left == 0) {
                            none.end();
                        }
                    });
        }

        private long before(long nanos) {
            return turns.before(queue, queue.countWait(), nanos);
        }

        private void comeLater() {
            for (int n = schedule.between(2, 5); n > 0; n--) {
                check(before(Long.MAX_VALUE) == Long.MAX_VALUE, "a limit");
            }
        }

        private void comeInTime() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                long nanos = schedule.timeout().toNanos();
                long start = schedule.nanoTime();
                long left = before(nanos);
                check(
                        left <= nanos && left >= nanos - (schedule.nanoTime() - start),
                        "what is left is " + left);
            }
        }

        private void beInterrupted() {
            boolean before = false;
            for (int n = schedule.between(1, 3); n > 0; n--) {
                before(Long.MAX_VALUE);
                boolean now = Thread.currentThread().isInterrupted();
                check(now || !before, "an interrupt is lost");
                before = now;
            }
        }
    }
}
