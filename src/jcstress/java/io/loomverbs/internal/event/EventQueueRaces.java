package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
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
    @Catches(value = "a thread that joins leaves events where they are", as = ".*, stuck, .*")
    @Catches(value = "a thread that raises does not look for a waiter", as = ".*, stuck, .*")
    @Catches(value = "a waiter says that it waits, and does not look again", as = ".*, stuck, .*")
    @Catches(value = "a waiter is woken before it is given its event", as = ".*, stuck, .*")
    @State
    public static class RaiseTake {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
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
    @Catches(value = "a waiter with an event in hand gives up", as = "interrupted, .*, 0 left")
    @Catches(value = "a waiter that gives up stays in the list", as = "interrupted, .*, 0 left")
    @State
    public static class InterruptRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private final OnVirtualThread<String> waiter;
        private boolean status;

        public InterruptRaise() {
            waiter = OnVirtualThread.start(this::take);
        }

        private String take(OnVirtualThread<String> self) {
            String taken = Taking.of(() -> queue.take(Patience.nanos()));
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
    @Catches(value = "a waiter with an event in hand gives up", as = "none, 0 left")
    @Catches(value = "a waiter that gives up stays in the list", as = "none, 0 left")
    @State
    public static class TimeoutRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);

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
    @Outcome(id = "none, none, .*", expect = FORBIDDEN, desc = "no thread received the event")
    @Catches(value = "an event is taken without the lock", as = "event, event, .*")
    @State
    public static class OneEventTwoTakers {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);

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

    /** Two events come up at once for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "event and event, 0 left", expect = ACCEPTABLE, desc = "one each")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "two events went to one waiter")
    @Outcome(
            id = ".*, [12] left",
            expect = FORBIDDEN,
            desc = "an event was listed while a thread waited")
    @Catches(value = "an event is handed over without the lock", as = ".*none.*")
    @State
    public static class TwoEventsTwoWaiters {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private final Failures failures = new Failures();
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public TwoEventsTwoWaiters() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.nanos())));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.nanos())));
        }

        @Actor
        public void first() {
            failures.of(cq::raise);
        }

        @Actor
        public void second() {
            failures.of(cq::raise);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join() + failures.text();
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
    @Catches(value = "a queue ends without the lock", as = ".*none.*")
    @State
    public static class EndRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private final Failures failures = new Failures();
        private final OnVirtualThread<String> one;
        private final OnVirtualThread<String> two;

        public EndRaise() {
            one = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.nanos())));
            two = OnVirtualThread.start(() -> Taking.of(() -> queue.take(Patience.nanos())));
        }

        @Actor
        public void end() {
            failures.of(() -> queue.end(null));
        }

        @Actor
        public void raise() {
            failures.of(cq::raise);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join() + " and " + two.join() + failures.text();
            r.r2 = Taking.left(queue::tryTake);
        }
    }

    /** The queue ends while a virtual thread comes to wait. */
    @JCStressTest
    @Outcome(id = "ended, in time", expect = ACCEPTABLE, desc = "the waiter heard of the end")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the end")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a waiter looks for the end before it has the lock", as = ".*, stuck")
    @State
    public static class EndTake {
        private final EventQueue queue = EventQueue.shared(null);
        private long ended;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
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
}
