package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.I_Result;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Faults of the embedded device that several queue pairs count down. */
public class FaultRaces {
    private static final SoftQp FIRST = new RaceQp().qp;
    private static final SoftQp SECOND = new RaceQp().qp;

    /** A request of a context is to fail; two queue pairs have one request each. */
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one of them has failed")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "neither was the one that is to fail")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "both were")
    abstract static class Failing {
        private final FaultPlan plan;
        final AtomicInteger failed = new AtomicInteger();

        /** The request of this number, from 1 on, is to fail. */
        Failing(int number) {
            AtomicLong left = new AtomicLong(number);
            plan = FaultPlan.none(1).with(new FaultPlan.Failure(null, left, Ibv.WC_GENERAL_ERR));
        }

        final void request(SoftQp qp) {
            if (plan.failureOfNext(qp) != 0) {
                failed.incrementAndGet();
            }
        }
    }

    /** The second of both requests is to fail. */
    @JCStressTest
    @Catches(value = "requests that are to fail are counted in two steps", as = "0")
    @State
    public static class TwoRequests extends Failing {
        public TwoRequests() {
            super(2);
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

    /** The first of both requests is to fail. */
    @JCStressTest
    @Catches(value = "requests that are to fail are counted in two steps", as = "2")
    @State
    public static class NextRequest extends Failing {
        public NextRequest() {
            super(1);
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
