package io.loomverbs.tools.storm;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/** The benches of a storm: about as many as there have ever been handlers at work at once. */
class Benches {
    private static final int SLOTS = 64;

    private final AtomicReferenceArray<@Nullable Bench> slots = new AtomicReferenceArray<>(SLOTS);
    private final Queue<Bench> overflow = new ConcurrentLinkedQueue<>();
    private final Queue<Bench> all = new ConcurrentLinkedQueue<>();

    Bench borrow() {
        for (int i = 0; i < SLOTS; i++) {
            if (slots.getOpaque(i) != null) {
                Bench bench = slots.getAndSet(i, null);
                if (bench != null) {
                    return bench;
                }
            }
        }
        Bench bench = overflow.poll();
        if (bench == null) {
            bench = new Bench();
            all.add(bench);
        }
        return bench;
    }

    /** To the first free place, so that few are in use and these are in the cache. */
    void giveBack(Bench bench) {
        for (int i = 0; i < SLOTS; i++) {
            if (slots.getOpaque(i) == null && slots.compareAndSet(i, null, bench)) {
                return;
            }
        }
        overflow.add(bench);
    }

    /** What was recorded before every CQ had been served. No bench may be in use. */
    Histogram startNanos() {
        return sum(bench -> bench.startNanos);
    }

    /** What was recorded afterwards. No bench may be in use. */
    Histogram wakeNanos() {
        return sum(bench -> bench.wakeNanos);
    }

    private Histogram sum(Function<Bench, Histogram> which) {
        Histogram sum = Bench.newHistogram();
        all.forEach(bench -> sum.add(which.apply(bench)));
        return sum;
    }
}
