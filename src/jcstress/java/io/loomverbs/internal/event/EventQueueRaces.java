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
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/** An event against the threads that wait for it: it is received once, and in time. */
public class EventQueueRaces {

    /** A virtual thread takes the event that another thread raises. */
    @JCStressTest
    @Outcome(id = "event, in time, 0 left", expect = ACCEPTABLE, desc = "received")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the event passed the waiter by")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Outcome(id = ".*, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @State
    public static class RaiseTake {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cq::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** Looking for an event and waiting are two steps. */
    @JCStressTest
    @JCStressMeta(RaiseTake.class)
    @State
    public static class RaiseTakeBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.TAKE_IN_TWO_STEPS);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cq::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** Who raises does not look whether the event is to be handed over. */
    @JCStressTest
    @JCStressMeta(RaiseTake.class)
    @State
    public static class RaiseTakeWantedBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.WANTED_NOT_LOOKED_AT);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cq::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** The waiter says that it wants an event, and does not look again. */
    @JCStressTest
    @JCStressMeta(RaiseTake.class)
    @State
    public static class RaiseTakeInboxBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.INBOX_NOT_LOOKED_AT);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cq::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** The waiter is woken before it is given the event. */
    @JCStressTest
    @JCStressMeta(RaiseTake.class)
    @State
    public static class RaiseTakeWakeBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.WAKE_BEFORE_GIVING);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cq::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** A waiting virtual thread is interrupted while an event comes up. */
    @JCStressTest
    @Outcome(
            id = "event, pending, 0 left",
            expect = ACCEPTABLE,
            desc = "the event was first: it is returned, the interrupt stays")
    @Outcome(
            id = "interrupted, clear, 1 left",
            expect = ACCEPTABLE,
            desc = "the interrupt was first: the event is there for others")
    @Outcome(
            id = "interrupted, .*, 0 left",
            expect = FORBIDDEN,
            desc = "the event was given to a thread that has left")
    @Outcome(id = "event, .*, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = "event, clear, .*", expect = FORBIDDEN, desc = "the interrupt was swallowed")
    @Outcome(
            id = "interrupted, pending, .*",
            expect = FORBIDDEN,
            desc = "one interrupt counted twice")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the wait ended by itself")
    @State
    public static class InterruptRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");
        private final OnVirtualThread<String> waiter;
        private boolean status;

        public InterruptRaise() {
            waiter = OnVirtualThread.start(this::take);
        }

        private String take(OnVirtualThread<String> self) {
            String taken = Taking.of(() -> queue.take(Patience.ENDLESS_NANOS));
            status = self.awaitInterrupt();
            return taken;
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Actor
        public void interrupt() {
            waiter.interrupt();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = status ? "pending" : "clear";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** An interrupted waiter does not look whether it was given something. */
    @JCStressTest
    @JCStressMeta(InterruptRaise.class)
    @State
    public static class InterruptRaiseBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.CANCEL_IGNORES_GIVEN);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private final OnVirtualThread<String> waiter;
        private boolean status;

        public InterruptRaiseBrokenTwin() {
            waiter = OnVirtualThread.start(this::take);
        }

        private String take(OnVirtualThread<String> self) {
            String taken = Taking.of(() -> queue.take(Patience.twinNanos()));
            status = self.awaitInterrupt();
            return taken;
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Actor
        public void interrupt() {
            waiter.interrupt();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = status ? "pending" : "clear";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** An interrupted waiter stays in the list. */
    @JCStressTest
    @JCStressMeta(InterruptRaise.class)
    @State
    public static class InterruptRaiseStayBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.CANCEL_LEAVES_WAITER);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private final OnVirtualThread<String> waiter;
        private boolean status;

        public InterruptRaiseStayBrokenTwin() {
            waiter = OnVirtualThread.start(this::take);
        }

        private String take(OnVirtualThread<String> self) {
            String taken = Taking.of(() -> queue.take(Patience.twinNanos()));
            status = self.awaitInterrupt();
            return taken;
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Actor
        public void interrupt() {
            waiter.interrupt();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = status ? "pending" : "clear";
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** A wait runs out of time while an event comes up. */
    @JCStressTest
    @Outcome(id = "event, 0 left", expect = ACCEPTABLE, desc = "the event was first")
    @Outcome(
            id = "none, 1 left",
            expect = ACCEPTABLE,
            desc = "the deadline was first: the event is there for others")
    @Outcome(
            id = "none, 0 left",
            expect = FORBIDDEN,
            desc = "the event was given to a thread that has left")
    @Outcome(id = "event, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @State
    public static class TimeoutRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");

        @Actor
        public void take(LL_Result r) {
            r.r1 = Taking.of(() -> queue.take(20_000));
        }

        @Actor
        public void raise() {
            Taking.pauseUpTo(150_000);
            cq.raise();
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** A waiter that gives up does not look whether it was given something. */
    @JCStressTest
    @JCStressMeta(TimeoutRaise.class)
    @State
    public static class TimeoutRaiseBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.CANCEL_IGNORES_GIVEN);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);

        @Actor
        public void take(LL_Result r) {
            r.r1 = Taking.of(() -> queue.take(20_000));
        }

        @Actor
        public void raise() {
            Taking.pauseUpTo(150_000);
            cq.raise();
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** A waiter that gives up stays in the list. */
    @JCStressTest
    @JCStressMeta(TimeoutRaise.class)
    @State
    public static class TimeoutRaiseStayBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.CANCEL_LEAVES_WAITER);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);

        @Actor
        public void take(LL_Result r) {
            r.r1 = Taking.of(() -> queue.take(20_000));
        }

        @Actor
        public void raise() {
            Taking.pauseUpTo(150_000);
            cq.raise();
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** Two threads take one event without waiting. */
    @JCStressTest
    @Outcome(id = "event, none, 0 left", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(id = "none, event, 0 left", expect = ACCEPTABLE, desc = "the second actor was first")
    @Outcome(id = "event, event, .*", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = "none, none, .*", expect = FORBIDDEN, desc = "nobody received the event")
    @State
    public static class OneEventTwoTakers {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");

        public OneEventTwoTakers() {
            cq.raise();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = Taking.of(queue::tryTake);
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = Taking.of(queue::tryTake);
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** The event is taken without the lock. */
    @JCStressTest
    @JCStressMeta(OneEventTwoTakers.class)
    @State
    public static class OneEventTwoTakersBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.TAKE_UNLOCKED);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);

        public OneEventTwoTakersBrokenTwin() {
            cq.raise();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = Taking.of(queue::tryTake);
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = Taking.of(queue::tryTake);
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** Two events come up at once for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "event and event, 0 left", expect = ACCEPTABLE, desc = "one each")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "two events went to one waiter")
    @Outcome(
            id = ".*, [12] left",
            expect = FORBIDDEN,
            desc = "an event was listed while a thread waited")
    @State
    public static class TwoEventsTwoWaiters {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public TwoEventsTwoWaiters() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
        }

        @Actor
        public void first() {
            cq.raise();
        }

        @Actor
        public void second() {
            cq.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join();
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** An event is handed over without the lock. */
    @JCStressTest
    @JCStressMeta(TwoEventsTwoWaiters.class)
    @State
    public static class TwoEventsTwoWaitersBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.RAISE_UNLOCKED);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public TwoEventsTwoWaitersBrokenTwin() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
        }

        @Actor
        public void first() {
            cq.raise();
        }

        @Actor
        public void second() {
            cq.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join();
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** The queue ends while one event comes up for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "event and ended, 0 left", expect = ACCEPTABLE, desc = "the event was first")
    @Outcome(
            id = "ended and event, 0 left",
            expect = ACCEPTABLE,
            desc = "the event was first, the second thread waited longer")
    @Outcome(
            id = "ended and ended, 1 left",
            expect = ACCEPTABLE,
            desc = "the end was first: the event is there for others")
    @Outcome(
            id = "ended and ended, 0 left",
            expect = FORBIDDEN,
            desc = "the end took the event from a waiter")
    @Outcome(id = "event and event, .*", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "a waiter heard of neither")
    @Outcome(id = ".*event.*, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @State
    public static class EndRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final CqEvents cq = new CqEvents(queue, "cq");
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public EndRaise() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
        }

        @Actor
        public void end() {
            queue.end(null);
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join();
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** The queue ends without the lock. */
    @JCStressTest
    @JCStressMeta(EndRaise.class)
    @State
    public static class EndRaiseBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.END_UNLOCKED);
        private final FaultyEventQueue.Cq cq = new FaultyEventQueue.Cq(queue);
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public EndRaiseBrokenTwin() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
        }

        @Actor
        public void end() {
            queue.end();
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join();
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** The queue ends while a virtual thread comes to wait. */
    @JCStressTest
    @Outcome(id = "ended, in time", expect = ACCEPTABLE, desc = "the waiter heard of the end")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the end")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @State
    public static class EndTake {
        private final EventQueue queue = EventQueue.shared(null);
        private long ended;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.ENDLESS_NANOS)));
            taken = System.nanoTime();
        }

        @Actor
        public void end() {
            OnVirtualThread.run(() -> queue.end(null)); // as late as the other one
            ended = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, ended, taken) ? "stuck" : "in time";
        }
    }

    /** The waiter looks for the end before it has the lock. */
    @JCStressTest
    @JCStressMeta(EndTake.class)
    @State
    public static class EndTakeBrokenTwin {
        private final FaultyEventQueue queue = new FaultyEventQueue(Fault.END_LOOKED_FOR_FIRST);
        private long ended;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.twinNanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void end() {
            OnVirtualThread.run(() -> queue.end()); // as late as the other one
            ended = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, ended, taken) ? "stuck" : "in time";
        }
    }
}
