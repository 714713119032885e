package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** An event against the threads that wait for it: it is received once, and in time. */
public class EventQueueRaces {
    private static final int SPREAD_NANOS = 3_000;

    /** What it may take to wake a virtual thread. */
    private static final int WAKING_NANOS = 40_000;

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
    public static class RaiseTake extends Queued {
        @Actor
        public void take(LLL_Result r) {
            r.r1 = waitsAsVirtual(this::receive);
        }

        @Actor
        public void raise() {
            wakesAsVirtual(cq::raise);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = inTime();
            r.r3 = left();
        }
    }

    /** A waiting virtual thread is interrupted while an event comes up. */
    @JCStressTest
    @Outcome(id = "event, pending, 0 left", expect = ACCEPTABLE, desc = "the interrupt stays")
    @Outcome(id = "interrupted, clear, 1 left", expect = ACCEPTABLE, desc = "it is for others")
    @Outcome(id = "interrupted, .*, 0 left", expect = FORBIDDEN, desc = "given to one that left")
    @Outcome(id = "event, .*, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = "event, clear, .*", expect = FORBIDDEN, desc = "the interrupt was swallowed")
    @Outcome(id = "interrupted, pending, .*", expect = FORBIDDEN, desc = "it counted twice")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the wait ended by itself")
    @Catches(value = "a waiter with an event in hand gives up", as = "interrupted, .*, 0 left")
    @Catches(value = "a waiter that gives up stays in the list", as = "interrupted, .*, 0 left")
    @State
    public static class InterruptRaise extends Queued {
        private final OnVirtualThread<String> waiter =
                OnVirtualThread.startInterruptible(this::receive);

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
            r.r2 = waiter.interruptStatus();
            r.r3 = left();
        }
    }

    /** A wait runs out of time while an event comes up. */
    @JCStressTest
    @Outcome(id = "event, 0 left", expect = ACCEPTABLE, desc = "the event was first")
    @Outcome(id = "none, 1 left", expect = ACCEPTABLE, desc = "the deadline was: it is for others")
    @Outcome(id = "none, 0 left", expect = FORBIDDEN, desc = "given to a thread that has left")
    @Outcome(id = "event, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @Catches(value = "a waiter with an event in hand gives up", as = "none, 0 left")
    @Catches(value = "a waiter that gives up stays in the list", as = "none, 0 left")
    @State
    public static class TimeoutRaise extends Queued {
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
        public void result(LL_Result r) {
            r.r2 = left();
        }
    }

    /** Two threads take one event without waiting. */
    @JCStressTest
    @Outcome(id = "(event, none|none, event), 0 left", expect = ACCEPTABLE, desc = "one took it")
    @Outcome(id = "event, event, .*", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = "none, none, .*", expect = FORBIDDEN, desc = "no thread received the event")
    @Catches(value = "an event is taken without the lock", as = "event, event, .*")
    @State
    public static class OneEventTwoTakers extends Queued.WithEvent {
        @Actor
        public void first(LLL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = tryReceive();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = left();
        }
    }

    /** Two events come up at once for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "event and event, 0 left", expect = ACCEPTABLE, desc = "one each")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "two events went to one waiter")
    @Outcome(id = ".*, [12] left", expect = FORBIDDEN, desc = "listed while a thread waited")
    @Catches(value = "an event is handed over without the lock", as = ".*none.*")
    @State
    public static class TwoEventsTwoWaiters extends Queued.AwaitedByTwo {
        @Actor
        public void first() {
            mayFail(cq::raise);
        }

        @Actor
        public void second() {
            mayFail(cq::raise);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = both();
            r.r2 = left();
        }
    }

    /** The queue ends while one event comes up for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "ended and event, 0 left", expect = ACCEPTABLE, desc = "received by either")
    @Outcome(id = "ended and ended, 1 left", expect = ACCEPTABLE, desc = "it is there for others")
    @Outcome(id = "ended and ended, 0 left", expect = FORBIDDEN, desc = "taken from a waiter")
    @Outcome(id = "event and event, .*", expect = FORBIDDEN, desc = "the event was received twice")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "a waiter heard of neither")
    @Outcome(id = ".*event.*, 1 left", expect = FORBIDDEN, desc = "the event was received twice")
    @Catches(value = "a queue ends without the lock", as = ".*none.*")
    @State
    public static class EndRaise extends Queued.AwaitedByTwo {
        @Actor
        public void end() {
            mayFail(() -> queue.end(null));
        }

        @Actor
        public void raise() {
            mayFail(cq::raise);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = both();
            r.r2 = left();
        }
    }

    /** The queue ends while a virtual thread comes to wait. */
    @JCStressTest
    @Outcome(id = "ended", expect = ACCEPTABLE, desc = "the waiter heard of the end")
    @Outcome(id = "none.*", expect = FORBIDDEN, desc = "the waiter did not hear of the end")
    @Outcome(id = ".*late", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a waiter looks for the end before it has the lock", as = ".*late")
    @State
    public static class EndTake extends Queued {
        @Actor
        public void take(L_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void end() {
            wakesAsVirtual(() -> queue.end(null));
        }
    }

    /** Two threads raise an event each, of one CQ or of two, past the lock. */
    @JCStressTest
    @Outcome(id = "2 left", expect = ACCEPTABLE, desc = "both are there")
    @Outcome(id = "[01] left", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "an event came twice")
    @Catches(value = "events overwrite one another", as = "[01] left")
    @Catches(value = "a second event of a CQ is forgotten", as = "[01] left")
    @State
    public static class TwoPushes extends Queued {
        private final QueuedCq other =
                ThreadLocalRandom.current().nextBoolean() ? cq : new QueuedCq(queue);

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

    /**
     * Two events come up while two threads wait in a queue that wakes one at a time. What comes up
     * while one is on its way is listed, and the one that arrives, which may be interrupted, wakes
     * the next.
     */
    @JCStressTest
    @Outcome(id = "event, event, in time, 0 left", expect = ACCEPTABLE, desc = "one each, in turn")
    @Outcome(id = "interrupted, event, in time, 1 left", expect = ACCEPTABLE, desc = "before it")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "one waited, and none was on its way")
    @Outcome(id = "event, event, .*, [1-9] left", expect = FORBIDDEN, desc = "an event came twice")
    @Outcome(id = "interrupted, event, .*, 0 left", expect = FORBIDDEN, desc = "one was lost")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Catches(value = "a thread that arrives hands nothing on", as = ".*, stuck, .*")
    @Catches(value = "a woken thread never arrives", as = ".*, stuck, .*")
    @State
    public static class TwoInAChain {
        private final EventQueue queue = new EventQueue(null, new WakeChain(1));
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);
        private final boolean interrupts = ThreadLocalRandom.current().nextBoolean();
        private final long begun = System.nanoTime();
        private final OnVirtualThread<String> first = OnVirtualThread.start(this::receive);
        private final OnVirtualThread<String> second = OnVirtualThread.start(this::receive);
        private long raised;

        private String receive() {
            return Taking.of(() -> queue.take(Patience.nanos()));
        }

        /** The second event at about the time at which the first wakes a thread. */
        @Actor
        public void raise() {
            Taking.pauseUpTo(SPREAD_NANOS);
            one.raise();
            Taking.pauseUpTo(WAKING_NANOS);
            two.raise();
            raised = System.nanoTime();
        }

        @Actor
        public void interrupt() {
            if (interrupts) {
                first.interrupt();
            }
        }

        @Arbiter
        public void result(LLLL_Result r) {
            r.r1 = first.join();
            r.r2 = second.join();
            // The first one back wakes the other: each may wait for it.
            long back = Math.min(first.end(), second.end());
            boolean stuck =
                    Patience.late(begun, raised, back)
                            || Patience.late(back, raised, Math.max(first.end(), second.end()));
            r.r3 = stuck ? "stuck" : "in time";
            r.r4 = Taking.left(queue::tryTake);
        }
    }
}
