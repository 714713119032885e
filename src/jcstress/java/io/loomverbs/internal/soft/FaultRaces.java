package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.I_Result;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Faults of the embedded device that several queue pairs count down. */
public class FaultRaces {
    private static final SoftQp FIRST = new RaceQp().qp;
    private static final SoftQp SECOND = new RaceQp().qp;

    /** The first or the second request of a context is to fail; two queue pairs have one each. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one of them has failed")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "neither was the one that is to fail")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "both were")
    @Catches(value = "requests that are to fail are counted in two steps", as = "0")
    @Catches(value = "requests that are to fail are counted in two steps", as = "2")
    @State
    public static class TwoRequests {
        private final AtomicLong left = new AtomicLong(ThreadLocalRandom.current().nextInt(1, 3));
        private final FaultPlan plan =
                FaultPlan.none(1).with(new FaultPlan.Failure(null, left, Ibv.WC_GENERAL_ERR));
        private final AtomicInteger failed = new AtomicInteger();

        private void request(SoftQp qp) {
            if (plan.failureOfNext(qp) != 0) {
                failed.incrementAndGet();
            }
        }

        @Actor
        public void first() {
            request(FIRST);
        }

        @Actor
        public void second() {
            request(SECOND);
        }

        @Arbiter
        public void result(I_Result r) {
            r.r1 = failed.get();
        }
    }
}
