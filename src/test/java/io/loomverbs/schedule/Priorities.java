package io.loomverbs.schedule;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Always the thread of the highest priority; at a few points the running one becomes the lowest.
 *
 * <p>A bug that needs d orderings is found with a probability that does not shrink with the number
 * of steps as fast as a random walk's: Burckhardt et al., A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs, ASPLOS 2010.
 */
final class Priorities implements Strategy {
    /** About as many points as a short scenario has; longer ones change only in their beginning. */
    private static final int[] HORIZONS = {32, 128, 512};

    private static final int MAX_CHANGES = 4;

    private final SplittableRandom random;
    private final IdentityHashMap<Runnable, Integer> priorities = new IdentityHashMap<>();
    private final int[] changes;
    private int point;
    private int lowest;

    Priorities(SplittableRandom random) {
        this.random = random;
        int horizon = HORIZONS[random.nextInt(HORIZONS.length)];
        changes = random.ints(1 + random.nextInt(MAX_CHANGES), 0, horizon).toArray();
    }

    @Override
    public boolean preempts(Runnable current, List<Runnable> ready) {
        int now = point++;
        for (int change : changes) {
            if (change == now) {
                yields(current);
            }
        }
        int mine = priority(current);
        for (int i = 0; i < ready.size(); i++) {
            if (priority(ready.get(i)) > mine) {
                return true;
            }
        }
        return false;
    }

    @Override
    public int pick(List<Runnable> ready) {
        int best = 0;
        for (int i = 1; i < ready.size(); i++) {
            if (priority(ready.get(i)) > priority(ready.get(best))) {
                best = i;
            }
        }
        return best;
    }

    @Override
    public void yields(Runnable current) {
        priorities.put(current, --lowest);
    }

    private int priority(Runnable thread) {
        Integer known = priorities.get(thread);
        if (known == null) {
            known = random.nextInt(1 << 20);
            priorities.put(thread, known);
        }
        return known;
    }
}
