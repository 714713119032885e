package io.loomverbs.tools.soak;

import com.sun.management.HotSpotDiagnosticMXBean;

import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.testkit.Leaks;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Rounds in which all parts run at once. After each round they may leave nothing behind; at the end
 * the process may use no more than it did once it had settled.
 */
public final class Soak {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration REST = Duration.ofSeconds(3);
    private static final long LOOK_MILLIS = 50;

    /** Memory may have grown by one part in this many. */
    private static final int TOLERANCE = 20;

    private final Context context;
    private final SoakPlan plan;
    private final List<SoakPart> parts;
    private final Consumer<Soak> afterRound;
    private final SoakCounts counts = new SoakCounts();
    private final List<String> failures = new ArrayList<>();
    private final boolean judgesRss = plainRss();
    private volatile boolean interrupted;
    private volatile @Nullable Round current;
    private volatile int rounds;
    private volatile long startedNanos;
    private volatile @Nullable Usage first;
    private volatile @Nullable Usage last;

    /**
     * Prepares a soak.
     *
     * @param context the device, which the soak leaves open, without objects of its own
     * @param plan what to run
     * @param afterRound called after each round, by the thread that runs the soak
     */
    public Soak(Context context, SoakPlan plan, Consumer<Soak> afterRound) {
        this(context, plan, usualParts(plan), afterRound);
    }

    Soak(Context context, SoakPlan plan, List<SoakPart> parts, Consumer<Soak> afterRound) {
        this.context = context;
        this.plan = plan;
        this.parts = List.copyOf(parts);
        this.afterRound = afterRound;
    }

    static List<SoakPart> usualParts(SoakPlan plan) {
        return List.of(
                new StormPart(plan.cqs()),
                new Streams(),
                new BrokenQps(),
                new OverAcks(),
                new SlowHandlers(),
                new Contexts(),
                new AsyncReader(),
                new GcPressure());
    }

    /** Ends the soak before its time; what has happened so far is the result. Any thread. */
    public void stop() {
        interrupted = true;
        Round round = current;
        if (round != null) {
            round.end();
        }
    }

    /**
     * The counts so far.
     *
     * @return the counts, which go on
     */
    public SoakCounts counts() {
        return counts;
    }

    /**
     * How many rounds are over.
     *
     * @return the number
     */
    public int rounds() {
        return rounds;
    }

    /**
     * How long it has been running.
     *
     * @return nanoseconds
     */
    public long elapsedNanos() {
        return System.nanoTime() - startedNanos;
    }

    /**
     * The resources that the process used after the last round.
     *
     * @return null before the first
     */
    public @Nullable Usage lastUsage() {
        return last;
    }

    /**
     * Runs the soak. Once.
     *
     * @return the result
     * @throws InterruptedException if the thread is interrupted
     */
    public SoakResult run() throws InterruptedException {
        startedNanos = System.nanoTime();
        long plannedNanos = plan.duration().toNanos();
        boolean compared = false;
        int done = 0;
        while (failures.isEmpty() && !interrupted && (!compared || elapsedNanos() < plannedNanos)) {
            Leaks leaks = Leaks.watch();
            round();
            failures.addAll(leaks.found());
            rounds = ++done;
            compared = look();
            afterRound.accept(this);
        }
        if (failures.isEmpty() && !interrupted) {
            judgeCounts();
            judgeMemory();
        }
        return new SoakResult(
                plan,
                interrupted,
                elapsedNanos() / 1e9,
                rounds,
                counts,
                first,
                compared ? last : null,
                judgesRss,
                List.copyOf(failures));
    }

    private void round() throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd()) {
            Round round = new Round(context, pd, rounds, plan.round(), counts);
            current = round;
            if (interrupted) { // it may have missed this round
                round.end();
            }
            for (SoakPart part : parts) {
                round.start(
                        Thread.ofVirtual(),
                        part.name(),
                        () -> {
                            part.run(round);
                            return null;
                        });
            }
            round.awaitEnd(plan.round());
            round.end();
            round.join(Round.PATIENCE.multipliedBy(2));
            current = null; // its threads keep the objects that they were using
            failures.addAll(round.failures());
            if (!failures.isEmpty()) {
                failures.add(context.dump());
            }
        }
    }

    /** Measures; true if there was something to compare with. */
    private boolean look() throws InterruptedException {
        Usage usage = Usage.now();
        Usage before = first;
        if (before == null) {
            last = usage;
            if (elapsedNanos() >= plan.settled().toNanos()) {
                first = atRest(usage);
            }
            return false;
        }
        // Threads and descriptors that are about to end need a moment.
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!usage.growthSince(before).isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MILLIS);
            usage = Usage.now(usage.heapBytes());
        }
        last = usage;
        failures.addAll(usage.growthSince(before));
        return true;
    }

    /** With the fewest threads: those of the library end some seconds after their last work. */
    private static Usage atRest(Usage usage) throws InterruptedException {
        Usage least = usage;
        long deadline = System.nanoTime() + REST.toNanos();
        while (System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MILLIS);
            Usage now = Usage.now(usage.heapBytes());
            if (now.threads().size() < least.threads().size()) {
                least = now;
            }
        }
        return least;
    }

    private void judgeCounts() {
        for (SoakCounts.Kind kind : SoakCounts.Kind.values()) {
            if (counts.of(kind) == 0) {
                failures.add("nothing was tried of: " + kind.name().toLowerCase(Locale.ROOT));
            }
        }
    }

    private void judgeMemory() {
        Usage before = first;
        Usage now = last;
        if (!plan.judgesMemory() || before == null || now == null) {
            return;
        }
        judge("live heap", before.heapBytes(), now.heapBytes());
        if (judgesRss) {
            judge("resident memory", before.rssBytes(), now.rssBytes());
        }
    }

    private void judge(String what, long before, long now) {
        if (now > before + before / TOLERANCE) {
            failures.add(
                    String.format(
                            Locale.ROOT,
                            "%s is %,d bytes, was %,d: more than 5 %% more",
                            what,
                            now,
                            before));
        }
    }

    /**
     * Whether the heap's part of resident memory does not change: a heap of one size whose pages
     * were all touched at start.
     */
    private static boolean plainRss() {
        HotSpotDiagnosticMXBean jvm =
                ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        String largest = jvm.getVMOption("MaxHeapSize").getValue();
        return Usage.now(0).rssBytes() > 0
                && jvm.getVMOption("AlwaysPreTouch").getValue().equals("true")
                && jvm.getVMOption("InitialHeapSize").getValue().equals(largest);
    }
}
