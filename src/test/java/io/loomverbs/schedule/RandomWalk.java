package io.loomverbs.schedule;

import java.util.List;
import java.util.SplittableRandom;

/** Any thread, with a switch at every point or at every so manyth. */
final class RandomWalk implements Strategy {
    private final SplittableRandom random;
    private final int oneIn;

    RandomWalk(SplittableRandom random) {
        this.random = random;
        this.oneIn = 1 << random.nextInt(5);
    }

    @Override
    public boolean preempts(Runnable current, List<Runnable> ready) {
        return !ready.isEmpty() && (oneIn == 1 || random.nextInt(oneIn) == 0);
    }

    @Override
    public int pick(List<Runnable> ready) {
        return ready.size() == 1 ? 0 : random.nextInt(ready.size());
    }

    @Override
    public void yields(Runnable current) {
        // Sooner or later the others are picked.
    }
}
