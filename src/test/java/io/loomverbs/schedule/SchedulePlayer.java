package io.loomverbs.schedule;

import io.loomverbs.fault.Planted;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Plays scenarios, inside a {@link World}. */
public final class SchedulePlayer implements Player {
    /** So many schedules reach all that a scenario does. */
    private static final int INITIALIZING = 20;

    private final Map<String, Scenario> scenarios = new LinkedHashMap<>();
    private final Set<String> initialized = new HashSet<>();

    public SchedulePlayer() {
        initializeLedger();
        trackNothing();
        Planted.pauseWith(SchedulePoint::point);
        scenarios.put("delivery", new DeliveryScenario());
        scenarios.put("interrupts", new InterruptScenario());
        scenarios.put("closers", new ClosersScenario());
        scenarios.put("closing", new ClosingScenario());
        scenarios.put("overacks", new OverackScenario());
        scenarios.put("self-close", new SelfCloseScenario());
        scenarios.put("churn", new ChurnScenario());
        scenarios.put("refusals", new RefusalsScenario());
        scenarios.put("async", new AsyncScenario());
        scenarios.put("await", new AwaitScenario());
        scenarios.put("messages", new MessagesScenario());
        scenarios.put("overrun", new OverrunScenario());
        scenarios.put("led", new LedScenario());
        scenarios.put("turns", new TurnsScenario());
        scenarios.put("serving", new ServingScenario());
        scenarios.put("groups", new GroupScenario());
        scenarios.put("requests", new RequestsScenario());
        scenarios.put("receives", new ReceivesScenario());
    }

    /** Classes that threads initialize are not to be a step of the first schedule. */
    private void initializeClassesOf(String name) {
        if (name.equals("receives") && initialized.add(name)) {
            for (long seed = -INITIALIZING; seed < 0; seed++) {
                play(name, seed, false);
            }
        }
    }

    @Override
    public List<String> scenarios() {
        return List.copyOf(scenarios.keySet());
    }

    @Override
    public Outcome play(String name, long seed, boolean traced) {
        Scenario scenario = scenarios.get(name);
        if (scenario == null) {
            throw new IllegalArgumentException(
                    "scenario is " + name + ", but there are " + scenarios.keySet());
        }
        initializeClassesOf(name);
        // A scenario of its own for each seed, even if seeds are counted up from 1.
        long mixed = (seed + name.hashCode()) * 0x9E37_79B9_7F4A_7C15L;
        SeededScheduler scheduler = new SeededScheduler(mixed, traced);
        SchedulePoint.begin(scheduler);
        forgetSlab();
        takeTurns(mixed);
        String failure = null;
        try {
            scenario.play(new Schedule(scheduler, mixed));
            Bookkeeping.check(SchedulePoint.made());
        } catch (Exception | AssertionError e) {
            failure = describe(e) + scheduler.trace();
            scheduler.abandon();
        } finally {
            SchedulePoint.end();
            Monitors.forgetAll();
        }
        return new Outcome(failure, scheduler.steps(), scheduler.fingerprint());
    }

    /**
     * Its initializer acknowledges an event of its own, which is not to be a step of the first
     * schedule.
     */
    private static void initializeLedger() {
        try {
            Class.forName("io.loomverbs.internal.event.Ledger");
        } catch (ClassNotFoundException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** Which objects are tracked is random, and a thread that no schedule knows reports them. */
    private static void trackNothing() {
        String property = "loomverbs.leakDetection";
        String before = System.setProperty(property, "off");
        try {
            Class.forName("io.loomverbs.LeakDetection");
        } catch (ClassNotFoundException e) {
            throw new LinkageError(e.getMessage(), e);
        } finally {
            if (before == null) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, before);
            }
        }
    }

    /** Batches of handlers are slices of memory that this schedule uses for something else. */
    private static void forgetSlab() {
        try {
            Class<?> owner = Class.forName("io.loomverbs.BatchSlab");
            Field shared = owner.getDeclaredField("SHARED");
            Field slab = owner.getDeclaredField("slab");
            shared.setAccessible(true);
            slab.setAccessible(true);
            slab.set(shared.get(null), null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** In some schedules waiting threads let others come first, far more often than usual. */
    private static void takeTurns(long seed) {
        SplittableRandom random = new SplittableRandom(seed + 1);
        try {
            Field turns = Class.forName("io.loomverbs.Fairness").getDeclaredField("turns");
            turns.setAccessible(true);
            turns.set(null, random.nextInt(4) == 0 ? TurnsScenario.eager(random) : null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static String describe(Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
