package io.loomverbs;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** How many CQs of a context are on each completion vector, and which one comes next. */
final class VectorLoad {
    private final AtomicIntegerArray cqs;
    private final AtomicInteger turns = new AtomicInteger();

    VectorLoad(int vectors) {
        this.cqs = new AtomicIntegerArray(vectors);
    }

    int choose(VectorPolicy policy) {
        return switch (policy) {
            case ROUND_ROBIN -> Math.floorMod(turns.getAndIncrement(), cqs.length());
            case LEAST_LOADED -> leastLoaded();
        };
    }

    private int leastLoaded() {
        int best = 0;
        for (int i = 1; i < cqs.length(); i++) {
            if (cqs.get(i) < cqs.get(best)) {
                best = i;
            }
        }
        return best;
    }

    int of(int vector) {
        return cqs.get(vector);
    }

    void created(int vector) {
        cqs.incrementAndGet(vector);
    }

    void destroyed(int vector) {
        cqs.decrementAndGet(vector);
    }
}
