package io.loomverbs.walk;

import io.loomverbs.Verbs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** One walk: steps that a seed decides, on objects that earlier steps have made. */
final class Walk {
    private final String device;
    private final long seed;
    private final boolean modelled;

    /** What the walking thread does now, for the one that waits for it. */
    private volatile String now = "nothing yet";

    /** What was done, in order. */
    final List<String> log = new ArrayList<>();

    /** Which methods of the API were called, and came back. */
    final Set<String> called = new HashSet<>();

    /**
     * @param modelled whether half of the steps are on objects of which there is a model, which is
     *     that of the embedded devices
     */
    Walk(String device, long seed, boolean modelled) {
        this.device = device;
        this.seed = seed;
        this.modelled = modelled;
    }

    /** Takes those steps; answers what went wrong, or null. Bounded in time. */
    @Nullable String take(int[] steps) throws InterruptedException {
        String[] problem = {"the walk ended without a word"};
        Thread walker =
                Thread.ofPlatform()
                        .name("walk-" + seed)
                        .unstarted(
                                () -> {
                                    try {
                                        problem[0] = walk(steps);
                                    } catch (Throwable t) {
                                        problem[0] = Failures.text(t);
                                    }
                                });
        walker.start();
        String before = now;
        while (!walker.join(World.PATIENCE.plusSeconds(5))) {
            if (now.equals(before)) { // no step takes that long
                return "hangs in " + now + "\n" + Failures.stack(walker);
            }
            before = now;
        }
        return problem[0];
    }

    private @Nullable String walk(int[] steps) throws InterruptedException {
        long allocated = Verbs.allocatedMemory();
        World world = new World(device);
        List<String> problems = new ArrayList<>();
        Tame tame = modelled ? new Tame(world) : null;
        Stock stock = new Stock(world);
        ApiCall calls = new ApiCall(world, true);
        try {
            for (int step : steps) {
                now = "step " + step;
                Dice dice = new Dice(seed, step);
                String done =
                        switch (dice.below(20)) {
                            case 0 -> stock.make(dice);
                            case 1, 2, 3, 4, 5, 6, 7, 8, 9 ->
                                    tame == null ? calls.make(dice) : tame.step(dice);
                            default -> calls.make(dice);
                        };
                log.add(step + ": " + done);
            }
            now = "the end";
            if (tame != null) {
                tame.end();
            }
        } catch (Throwable t) {
            problems.add(now + ": " + Failures.text(t));
        }
        called.addAll(calls.called);
        now = "closing everything";
        problems.addAll(world.closeAll());
        if (problems.isEmpty() && Verbs.allocatedMemory() != allocated) {
            problems.add("memory is left: " + (Verbs.allocatedMemory() - allocated) + " bytes");
        }
        return problems.isEmpty() ? null : String.join("\n", problems);
    }
}
