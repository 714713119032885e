package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.time.Duration;

/** The thread that watches over leaders ends while one comes. */
public class CarrierWatchRaces {
    /** A leader that may block, and the watch that looks after it. */
    abstract static class Watched implements Carriers.Borrower {
        final CarrierWatch watch = new CarrierWatch(null, Duration.ZERO);
        private volatile boolean leads;

        Watched() {
            watch.add(new SchedulerCarriers(null, null, null), this);
            watch.on = true;
        }

        @Override
        public boolean isBlocking() {
            return leads;
        }

        @Override
        public void askAgain() {
            throw new AssertionError("no thread looks");
        }

        String lead() {
            leads = true;
            return watch.isOn() ? "blocks" : "asks";
        }

        String end() {
            return watch.end() ? "ended" : "stays";
        }
    }

    @JCStressTest
    @Outcome(id = "blocks, stays", expect = ACCEPTABLE, desc = "it is watched over")
    @Outcome(id = "asks, .*", expect = ACCEPTABLE, desc = "it has the watch begin anew")
    @Outcome(id = "blocks, ended", expect = FORBIDDEN, desc = "no thread watches over it")
    @Catches(value = "the watch looks whether a thread leads, then ends", as = "blocks, ended")
    @State
    public static class EndLead extends Watched {
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
