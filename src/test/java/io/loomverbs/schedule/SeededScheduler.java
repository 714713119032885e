package io.loomverbs.schedule;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs virtual threads one step at a time on the thread that calls {@link #run}, in an order that
 * depends on the seed alone.
 *
 * <p>The JDK hands a virtual thread that can go on to its scheduler, an {@link Executor}; that one
 * may be chosen, if only by reflection. Here it is a list from which the {@link Strategy} picks. A
 * thread gives up its turn when it parks, and at scheduling points ({@link SchedulePoint}).
 */
final class SeededScheduler implements Executor {
    /** No scenario needs a tenth of it: a schedule that gets there loops without progress. */
    private static final long MAX_STEPS = 20_000;

    private static final long MAX_POINTS = 50 * MAX_STEPS;
    private static final int TRACED_STEPS = 400;

    private static final Constructor<?> BUILDER;

    static {
        try {
            BUILDER =
                    Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder")
                            .getDeclaredConstructor(Executor.class);
            BUILDER.setAccessible(true);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final VirtualClock clock = new VirtualClock();
    private final SplittableRandom random;
    private final Strategy strategy;
    private final List<Runnable> ready = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Thread, Integer> numbers = new HashMap<>();
    private final int spuriousOneIn;
    private final int hastyOneIn;
    private final List<String> trace;

    /** What threads ended with. */
    final List<Throwable> failures = new ArrayList<>();

    private Runnable current;
    private long points;
    private long steps;
    private long fingerprint;
    private boolean abandoned;

    SeededScheduler(long seed, boolean traced) {
        random = new SplittableRandom(seed);
        strategy = random.nextBoolean() ? new RandomWalk(random) : new Priorities(random);
        // Parks that end without reason, which the contract allows, and alarms that ring while
        // others could go on: in some schedules often, in most never.
        spuriousOneIn = random.nextInt(4) == 0 ? 4 : 0;
        hastyOneIn = random.nextInt(3) == 0 ? 16 : 0;
        trace = traced ? new ArrayList<>() : null;
    }

    /** Whether a thread of this scheduler is running, rather than the one that set it up. */
    boolean isRunning() {
        return current != null;
    }

    long steps() {
        return steps;
    }

    long fingerprint() {
        return fingerprint;
    }

    Thread.Builder.OfVirtual builder() {
        try {
            Thread.Builder.OfVirtual builder = (Thread.Builder.OfVirtual) BUILDER.newInstance(this);
            return builder.uncaughtExceptionHandler((thread, thrown) -> failures.add(thrown));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** Every thread must end before the schedule does. */
    Thread adopt(Thread thread) {
        threads.add(thread);
        numbers.put(thread, numbers.size() + 1);
        return thread;
    }

    /** In the order of adoption, from 1; 0 for the thread that sets a scenario up. */
    int numberOf(Thread thread) {
        return numbers.getOrDefault(thread, 0);
    }

    @Override
    public void execute(Runnable resume) {
        ready.add(resume);
    }

    /** A scheduling point of the current thread. */
    @SuppressWarnings("ThreadPriorityCheck") // here a yield means what it says
    void point() {
        if (++points > MAX_POINTS) {
            throw new AssertionError("no end is in sight");
        }
        if (abandoned) {
            return;
        }
        if (trace != null) {
            trace.add(Thread.currentThread().getName() + "  " + StackTraces.site());
        }
        if (strategy.preempts(current, ready)) {
            Thread.yield();
        }
    }

    /** The current thread spins. */
    @SuppressWarnings("ThreadPriorityCheck") // as above
    void spin() {
        goOn();
        strategy.yields(current);
        Thread.yield();
    }

    boolean endsParkEarly() {
        return spuriousOneIn != 0 && random.nextInt(spuriousOneIn) == 0;
    }

    /**
     * Runs until every thread has ended.
     *
     * @throws AssertionError if they never will
     */
    void run() {
        for (; ; ) {
            if (hastyOneIn != 0 && random.nextInt(hastyOneIn) == 0) {
                clock.jump();
            }
            if (ready.isEmpty()) {
                if (allEnded()) {
                    return;
                }
                if (!clock.jump()) {
                    throw new AssertionError("no thread can go on:\n" + StackTraces.of(alive()));
                }
                continue;
            }
            if (++steps > MAX_STEPS) {
                throw new AssertionError("no end is in sight:\n" + StackTraces.of(alive()));
            }
            int size = ready.size();
            int picked = strategy.pick(ready);
            mix(picked);
            mix(size);
            mix(clock.now());
            mix(points);
            current = ready.remove(picked);
            try {
                current.run();
            } finally {
                current = null;
            }
        }
    }

    /** Parks the current thread. */
    void park(Object blocker) {
        goOn();
        LockSupport.park(blocker);
        goOn();
    }

    private void goOn() {
        if (abandoned) {
            throw new AssertionError("the schedule has failed, and this thread with it");
        }
    }

    /**
     * Ends the threads that a failed schedule has left: none waits any more. The JVM would keep
     * them, parked, and every class and object of their world.
     */
    void abandon() {
        abandoned = true;
        for (int i = 0; i < MAX_STEPS && !allEnded(); i++) {
            if (ready.isEmpty()) {
                alive().forEach(LockSupport::unpark);
            }
            if (ready.isEmpty()) {
                return;
            }
            current = ready.removeFirst();
            try {
                current.run();
            } finally {
                current = null;
            }
        }
    }

    private void mix(long value) {
        fingerprint = (fingerprint ^ value) * 0x9E37_79B9_7F4A_7C15L;
        fingerprint ^= fingerprint >>> 29;
    }

    private boolean allEnded() {
        threads.removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
        // Nothing runs: a thread that was not started never will be.
        return threads.stream().allMatch(thread -> thread.getState() == Thread.State.NEW);
    }

    private List<Thread> alive() {
        return threads.stream()
                .filter(thread -> thread.getState() != Thread.State.TERMINATED)
                .toList();
    }

    /** The last steps, the oldest first; empty if they were not traced. */
    String trace() {
        if (trace == null) {
            return "";
        }
        int from = Math.max(0, trace.size() - TRACED_STEPS);
        return "the last steps:\n  " + String.join("\n  ", trace.subList(from, trace.size()));
    }
}
