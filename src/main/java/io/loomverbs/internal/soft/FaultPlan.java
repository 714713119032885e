package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleToLongFunction;

/** The faults of a context at one moment. Only the countdowns of {@code failures} change. */
record FaultPlan(
        long seed,
        List<Failure> failures,
        @Nullable DoubleToLongFunction delay,
        double lost,
        double rnr,
        boolean portDown) {
    /** The subject of a decision; each has its own random numbers. */
    static final int DELAY = 1;

    static final int LOSS = 2;
    static final int RNR = 3;

    private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;
    private static final double UNIT = 0x1p-53;

    FaultPlan {
        failures = List.copyOf(failures);
    }

    static FaultPlan none(long seed) {
        return new FaultPlan(seed, List.of(), null, 0, 0, false);
    }

    /** A request that must fail: the one at which {@code left} goes from 1 to 0. */
    record Failure(@Nullable SoftQp of, AtomicLong left, int status) {
        /** Counts a request of {@code qp}: whether it is the one. */
        private boolean isNext(SoftQp qp) {
            return (of == null || of == qp) && left.getAndDecrement() == 1;
        }

        private boolean isOver() {
            return left.get() <= 0;
        }
    }

    FaultPlan withSeed(long newSeed) {
        return new FaultPlan(newSeed, failures, delay, lost, rnr, portDown);
    }

    FaultPlan with(Failure failure) {
        List<Failure> more = new ArrayList<>(failures);
        more.removeIf(Failure::isOver);
        more.add(failure);
        return new FaultPlan(seed, more, delay, lost, rnr, portDown);
    }

    FaultPlan withDelay(@Nullable DoubleToLongFunction newDelay) {
        return new FaultPlan(seed, failures, newDelay, lost, rnr, portDown);
    }

    FaultPlan withLost(double probability) {
        return new FaultPlan(seed, failures, delay, probability, rnr, portDown);
    }

    FaultPlan withRnr(double probability) {
        return new FaultPlan(seed, failures, delay, lost, probability, portDown);
    }

    FaultPlan withPortDown(boolean down) {
        return new FaultPlan(seed, failures, delay, lost, rnr, down);
    }

    boolean isEmpty() {
        return failures.isEmpty() && delay == null && lost == 0 && rnr == 0 && !portDown;
    }

    /** Counts a request of {@code qp}: the status with which it is to fail, or 0. */
    int failureOfNext(SoftQp qp) {
        int status = 0;
        for (Failure failure : failures) {
            if (failure.isNext(qp) && status == 0) {
                status = failure.status;
            }
        }
        return status;
    }

    /** Whether something happens that has this probability. */
    boolean happens(double probability, int kind, int qp, int request, int attempt) {
        return probability > 0 && random(kind, qp, request, attempt) < probability;
    }

    /**
     * A number in 0..1, exclusive of 1, that depends only on the seed and these arguments: the same
     * happens to one request in each run, however threads treat others meanwhile.
     */
    double random(int kind, int qp, int request, int attempt) {
        long h = mix(seed + GOLDEN * kind);
        h = mix(h + GOLDEN * qp);
        h = mix(h + (((long) attempt << 32) | (request & 0xffff_ffffL)));
        return (h >>> 11) * UNIT;
    }

    /** The finalizer of SplittableRandom. */
    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }
}
