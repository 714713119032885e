package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLLL_Result;

/**
 * Waking in a chain, one thread at a time: what comes up while one is on its way is listed, and the
 * one that arrives wakes the next.
 */
public class ChainRaces {
    private static final int ONE_AT_ONCE = 1;
    private static final int SPREAD_NANOS = 3_000;

    /** What it may take to wake a virtual thread. */
    private static final int WAKING_NANOS = 40_000;

    /** Two threads that wait for an event each. */
    private static final class Two {
        private final OnVirtualThread<Long> first;
        private final OnVirtualThread<Long> second;
        private volatile String taken1;
        private volatile String taken2;
        private final long begun = System.nanoTime();
        private long raised;

        Two(Taking.Call take) {
            first =
                    OnVirtualThread.start(
                            () -> {
                                taken1 = Taking.of(take);
                                return System.nanoTime();
                            });
            second =
                    OnVirtualThread.start(
                            () -> {
                                taken2 = Taking.of(take);
                                return System.nanoTime();
                            });
        }

        /** The second event at about the time at which the first wakes a thread. */
        void raise(Runnable one, Runnable two) {
            Taking.pauseUpTo(SPREAD_NANOS);
            one.run();
            Taking.pauseUpTo(WAKING_NANOS);
            two.run();
            raised = System.nanoTime();
        }

        void result(LLLL_Result r, Taking.Call tryTake) {
            long back1 = first.join();
            long back2 = second.join();
            // The first one back wakes the other: each may wait for it.
            boolean stuck =
                    Patience.late(begun, raised, Math.min(back1, back2))
                            || Patience.late(
                                    Math.min(back1, back2), raised, Math.max(back1, back2));
            r.r1 = taken1;
            r.r2 = taken2;
            r.r3 = stuck ? "stuck" : "in time";
            r.r4 = Taking.left(tryTake);
        }
    }

    /** Two events come up while two threads wait, one of which may be on its way. */
    @JCStressTest
    @Outcome(
            id = "event, event, in time, 0 left",
            expect = ACCEPTABLE,
            desc = "one each, the second at the latest when the first has arrived")
    @Outcome(
            id = ".*, stuck, .*",
            expect = FORBIDDEN,
            desc = "a thread waited beside an event, and no thread was on the way")
    @Outcome(id = ".*, [1-9] left", expect = FORBIDDEN, desc = "an event came twice")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Catches(value = "a thread that arrives hands nothing on", as = ".*, stuck, .*")
    @State
    public static class TwoInAChain {
        private final EventQueue queue = new EventQueue(null, new WakeChain(ONE_AT_ONCE));
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);
        private final Two waiters = new Two(() -> queue.take(Patience.nanos()));

        @Actor
        public void raise() {
            waiters.raise(one::raise, two::raise);
        }

        @Arbiter
        public void result(LLLL_Result r) {
            waiters.result(r, queue::tryTake);
        }
    }

    /** The thread that is on its way is interrupted; the one behind it waits for its arrival. */
    @JCStressTest
    @Outcome(
            id = "event, event, in time, 0 left",
            expect = ACCEPTABLE,
            desc = "the event was first, and the next was handed on")
    @Outcome(
            id = "interrupted, event, in time, 1 left",
            expect = ACCEPTABLE,
            desc = "the interrupt was first")
    @Outcome(
            id = ".*, stuck, .*",
            expect = FORBIDDEN,
            desc = "a thread waited beside an event, and no thread was on the way")
    @Outcome(
            id = "event, event, in time, [1-9] left",
            expect = FORBIDDEN,
            desc = "an event came twice")
    @Outcome(id = "interrupted, event, in time, 0 left", expect = FORBIDDEN, desc = "one was lost")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Catches(value = "a woken thread never arrives", as = ".*, stuck, .*")
    @State
    public static class InterruptedOnItsWay {
        private final EventQueue queue = new EventQueue(null, new WakeChain(ONE_AT_ONCE));
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);
        private final Two waiters = new Two(() -> queue.take(Patience.nanos()));

        @Actor
        public void raise() {
            waiters.raise(one::raise, two::raise);
        }

        @Actor
        public void interrupt() {
            waiters.first.interrupt();
        }

        @Arbiter
        public void result(LLLL_Result r) {
            waiters.result(r, queue::tryTake);
        }
    }
}
