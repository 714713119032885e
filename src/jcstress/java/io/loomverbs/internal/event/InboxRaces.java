package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.FaultyEventQueue.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
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
    @State
    public static class TwoRaisesOfOne {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");

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

    /** Who finds the CQ in the inbox leaves it at that. */
    @JCStressTest
    @JCStressMeta(TwoRaisesOfOne.class)
    @State
    public static class TwoRaisesOfOneBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.RAISED_ONCE_IN_INBOX);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);

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
    @State
    public static class TwoPushes {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents one = new CqEvents(queue, "one");
        private final CqEvents two = new CqEvents(queue, "two");

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

    /** Who pushes looks what is on top, then writes. */
    @JCStressTest
    @JCStressMeta(TwoPushes.class)
    @State
    public static class TwoPushesBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.PUSH_CHECKS_FIRST);
        private final FaultyEventQueue.Cq one = new FaultyEventQueue.Cq(queue);
        private final FaultyEventQueue.Cq two = new FaultyEventQueue.Cq(queue);

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
    @State
    public static class RaiseTakeIn {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents below = new CqEvents(queue, "below");
        private final CqEvents above = new CqEvents(queue, "above");
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

    /** A CQ may be pushed again before what was below it is known. */
    @JCStressTest
    @JCStressMeta(RaiseTakeIn.class)
    @State
    public static class RaiseTakeInBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.LINK_READ_LATE);
        private final FaultyEventQueue.Cq below = new FaultyEventQueue.Cq(queue);
        private final FaultyEventQueue.Cq above = new FaultyEventQueue.Cq(queue);
        private String taken;

        public RaiseTakeInBrokenTwin() {
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
