package io.loomverbs.tools.storm;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/** The scratches of a storm: about as many as there have ever been handlers at work at once. */
class ScratchPool {
    private static final int SLOTS = 64;

    private final AtomicReferenceArray<@Nullable StormScratch> slots =
            new AtomicReferenceArray<>(SLOTS);
    private final Queue<StormScratch> overflow = new ConcurrentLinkedQueue<>();
    private final Queue<StormScratch> all = new ConcurrentLinkedQueue<>();

    StormScratch borrow() {
        for (int i = 0; i < SLOTS; i++) {
            if (slots.getOpaque(i) != null) {
                StormScratch scratch = slots.getAndSet(i, null);
                if (scratch != null) {
                    return scratch;
                }
            }
        }
        StormScratch scratch = overflow.poll();
        if (scratch == null) {
            scratch = new StormScratch();
            all.add(scratch);
        }
        return scratch;
    }

    /** To the first free place, so that few are in use and these are in the cache. */
    void giveBack(StormScratch scratch) {
        for (int i = 0; i < SLOTS; i++) {
            if (slots.getOpaque(i) == null && slots.compareAndSet(i, null, scratch)) {
                return;
            }
        }
        overflow.add(scratch);
    }

    /** What was recorded before every CQ had been served. No scratch may be in use. */
    Histogram startNanos() {
        return sum(scratch -> scratch.startNanos);
    }

    /** What was recorded afterwards. No scratch may be in use. */
    Histogram queueingNanos() {
        return sum(scratch -> scratch.queueingNanos);
    }

    private Histogram sum(Function<StormScratch, Histogram> which) {
        Histogram sum = StormScratch.newHistogram();
        all.forEach(scratch -> sum.add(which.apply(scratch)));
        return sum;
    }
}
