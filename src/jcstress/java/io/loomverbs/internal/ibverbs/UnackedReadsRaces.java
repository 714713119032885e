package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** The reader of a channel against the destroyer of a CQ. */
public class UnackedReadsRaces {

    /** An event is read while the CQ is destroyed: one of the two acknowledges it. */
    @JCStressTest
    @Outcome(id = "counted, 1", expect = ACCEPTABLE, desc = "the destroyer acknowledges it")
    @Outcome(id = "at once, 0", expect = ACCEPTABLE, desc = "the reader acknowledges it")
    @Outcome(id = "counted, 0", expect = FORBIDDEN, desc = "no thread does: the destroy hangs")
    @Outcome(id = "at once, 1", expect = FORBIDDEN, desc = "both do: the destroy hangs")
    @Catches(value = "a reader looks whether there is a destroyer, then counts", as = "counted, 0")
    @State
    public static class ReadDestroy {
        private final UnackedReads reads = new UnackedReads();

        @Actor
        public void reader(LL_Result r) {
            r.r1 = reads.add() ? "counted" : "at once";
        }

        @Actor
        public void destroyer(LL_Result r) {
            r.r2 = reads.close();
        }
    }
}
