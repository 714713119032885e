package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
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
    public static class TwoRaisesOfOne {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);

        @Actor
        public void first() {
            cq.raise();
        }

        @Actor
        public void second() {
            cq.raise();
        }

        @Arbiter
        public void left(L_Result r) {
            r.r1 = Taking.left(queue::tryTake);
        }
    }

    /** Two threads raise events of two CQs. */
    @JCStressTest
    @Outcome(id = "2 left", expect = ACCEPTABLE, desc = "both are there")
    @Outcome(id = "[01] left", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "an event came twice")
    @Catches(value = "events overwrite one another", as = "[01] left")
    @State
    public static class TwoPushes {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);

        @Actor
        public void first() {
            one.raise();
        }

        @Actor
        public void second() {
            two.raise();
        }

        @Arbiter
        public void left(L_Result r) {
            r.r1 = Taking.left(queue::tryTake);
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
    public static class RaiseTakeIn {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq below = new QueuedCq(queue);
        private final QueuedCq above = new QueuedCq(queue);
        private String taken;

        public RaiseTakeIn() {
            below.raise();
            above.raise();
        }

        @Actor
        public void first() {
            taken = Taking.of(queue::tryTake);
        }

        @Actor
        public void second() {
            above.raise();
        }

        @Arbiter
        public void left(L_Result r) {
            r.r1 = taken + ", " + Taking.left(queue::tryTake);
        }
    }
}
