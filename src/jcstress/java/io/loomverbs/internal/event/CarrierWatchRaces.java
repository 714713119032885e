package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.time.Duration;

/** The thread that watches over leaders ends while one comes. */
public class CarrierWatchRaces {
    /** A leader that may block, and who looks after it. */
    abstract static class Watched implements Carriers.Borrower {
        final CarrierWatch watch;
        private volatile boolean leads;

        Watched(CarrierWatch watch) {
            this.watch = watch;
            watch.add(new SchedulerCarriers(null, null, null), this);
            watch.on = true;
        }

        @Override
        public boolean isBlocking() {
            return leads;
        }

        @Override
        public void askAgain() {
            throw new AssertionError("nobody looks");
        }

        String lead() {
            leads = true;
            return watch.isOn() ? "blocks" : "asks";
        }

        String end() {
            return watch.end() ? "ended" : "stays";
        }
    }

    /** The end, in the wrong order. */
    static final class FaultyWatch extends CarrierWatch {
        FaultyWatch() {
            super(null, Duration.ZERO);
        }

        @Override
        boolean end() {
            on = isAnyBlocking();
            return !on;
        }
    }

    @JCStressTest
    @Outcome(id = "blocks, stays", expect = ACCEPTABLE, desc = "it is watched over")
    @Outcome(id = "asks, .*", expect = ACCEPTABLE, desc = "it has the watch begin anew")
    @Outcome(id = "blocks, ended", expect = FORBIDDEN, desc = "nobody watches over it")
    @State
    public static class EndLead extends Watched {
        public EndLead() {
            super(new CarrierWatch(null, Duration.ZERO));
        }

        @Actor
        public void leader(LL_Result r) {
            r.r1 = lead();
        }

        @Actor
        public void watch(LL_Result r) {
            r.r2 = end();
        }
    }

    /** Looks whether anybody leads, then says that it ends. */
    @JCStressTest
    @JCStressMeta(EndLead.class)
    @State
    public static class EndLeadBrokenTwin extends Watched {
        public EndLeadBrokenTwin() {
            super(new FaultyWatch());
        }

        @Actor
        public void leader(LL_Result r) {
            r.r1 = lead();
        }

        @Actor
        public void watch(LL_Result r) {
            r.r2 = end();
        }
    }
}
