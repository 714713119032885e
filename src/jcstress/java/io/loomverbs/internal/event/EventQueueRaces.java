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

    /** A waiting virtual thread is interrupted while an event comes up. */
    @JCStressTest
    @Outcome(id = "event, pending, 0 left", expect = ACCEPTABLE, desc = "the interrupt stays")
    @Outcome(id = "interrupted, clear, 1 left", expect = ACCEPTABLE, desc = "it is for others")
    @Outcome(id = "interrupted, .*, 0 left", expect = FORBIDDEN, desc = "given to one that left")
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

    /** Two events, or one and the end of the queue, come for two waiting virtual threads. */
    @JCStressTest
    @Outcome(id = "raises: event and event, 0 left", expect = ACCEPTABLE, desc = "one each")
    @Outcome(id = "ends: ended and event, 0 left", expect = ACCEPTABLE, desc = "received by either")
    @Outcome(id = "ends: ended and ended, 1 left", expect = ACCEPTABLE, desc = "it is for others")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "a waiter heard of neither")
    @Catches(value = "an event is handed over without the lock", as = ".*none.*")
    @Catches(value = "a queue ends without the lock", as = ".*none.*")
    @State
    public static class TwoForTwoWaiters extends Queued {
        private final boolean ends = ThreadLocalRandom.current().nextBoolean();
        private final OnVirtualThread<String> one = OnVirtualThread.start(this::receive);
        private final OnVirtualThread<String> two = OnVirtualThread.start(this::receive);
        private volatile String failure = "";

        /** If it throws, that is a part of the outcome. */
        private void mayFail(Runnable call) {
            try {
                call.run();
            } catch (RuntimeException e) {
                failure = ", " + e;
            }
        }

        @Actor
        public void raise() {
            mayFail(cq::raise);
        }

        @Actor
        public void raiseOrEnd() {
            mayFail(ends ? () -> queue.end(null) : cq::raise);
        }

        /** In the order of words: either may have waited longer. */
        @Arbiter
        public void result(LL_Result r) {
            String a = one.join();
            String b = two.join();
            String both = a.compareTo(b) < 0 ? a + " and " + b : b + " and " + a;
            r.r1 = (ends ? "ends: " : "raises: ") + both + failure;
            r.r2 = left();
        }
    }

    /** Two threads raise an event each, of one CQ or of two, past the lock. */
    @JCStressTest
    @Outcome(id = "2 left", expect = ACCEPTABLE, desc = "both are there")
    @Outcome(id = "[01] left", expect = FORBIDDEN, desc = "an event was lost")
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

    /** Two threads are woken. The first goes on before it is told, and waits again once it may. */
    @JCStressTest
    @Outcome(id = "woken", expect = ACCEPTABLE, desc = "its link was read before")
    @Outcome(id = "stuck", expect = FORBIDDEN, desc = "the second was not woken")
    @Outcome(id = "linked", expect = FORBIDDEN, desc = "the first waits in two lists")
    @Catches(value = "a waiter is used again with its old links", as = "linked")
    @Catches(value = "a thread is told before its link is read", as = "stuck")
    @State
    public static class WakeWaitAgain {
        private static final Thread OTHER = Thread.ofVirtual().unstarted(() -> {});

        private final Waiter first = new Waiter(OTHER, null);
        private final Waiter second = new Waiter(OTHER, null);

        public WakeWaitAgain() {
            first.next = second;
        }

        @Actor
        public void wake() {
            AssigningQueue.wakeAll(first);
        }

        @Actor
        public void waitAgain() {
            while (!first.isFree()) {
                Thread.onSpinWait();
            }
            first.renew(null);
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = first.next != null ? "linked" : second.isFree() ? "woken" : "stuck";
        }
    }
}
