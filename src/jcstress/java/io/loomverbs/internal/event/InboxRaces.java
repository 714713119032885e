package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/** Events that are raised past the lock: each is there afterwards, once. */
public class InboxRaces {

    /** Two threads raise an event each of one CQ. */
    @JCStressTest
    @Outcome(id = "2 left", expect = ACCEPTABLE, desc = "both are there")
    @Outcome(id = "[01] left", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "an event came twice")
    @Catches(value = "a second event of a CQ is forgotten", as = "[01] left")
    @State
    public static class TwoRaisesOfOne extends Queued {
        @Actor
        public void first() {
            cq.raise();
        }

        @Actor
        public void second() {
            cq.raise();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = left();
        }
    }

    /** Two threads raise events of two CQs. */
    @JCStressTest
    @Outcome(id = "2 left", expect = ACCEPTABLE, desc = "both are there")
    @Outcome(id = "[01] left", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "an event came twice")
    @Catches(value = "events overwrite one another", as = "[01] left")
    @State
    public static class TwoPushes extends Queued {
        private final QueuedCq other = new QueuedCq(queue);

        @Actor
        public void first() {
            cq.raise();
        }

        @Actor
        public void second() {
            other.raise();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = left();
        }
    }

    /** The inbox is taken in while one of those in it is raised again. */
    @JCStressTest
    @Outcome(id = "event, 2 left", expect = ACCEPTABLE, desc = "all three were there")
    @Outcome(id = "event, [01] left", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "two events were not seen")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "an event came twice")
    @Catches(value = "a CQ leaves the inbox before its link is read", as = "event, [01] left")
    @State
    public static class RaiseTakeIn extends Queued.WithEvent {
        private final QueuedCq above = new QueuedCq(queue);

        public RaiseTakeIn() {
            above.raise();
        }

        @Actor
        public void take(LL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void raise() {
            above.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = left();
        }
    }
}
