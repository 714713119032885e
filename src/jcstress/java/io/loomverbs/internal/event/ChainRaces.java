package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LLLL_Result;

/**
 * Waking in a chain, one thread at a time: what comes up while one is on its way is listed, and the
 * one that arrives wakes the next.
 */
public class ChainRaces {
    private static final int SPREAD_NANOS = 3_000;

    /** What it may take to wake a virtual thread. */
    private static final int WAKING_NANOS = 40_000;

    /** Two threads that wait for an event each, in a queue that wakes one at a time. */
    abstract static class Two {
        private final EventQueue queue = new EventQueue(null, new WakeChain(1));
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);
        private final long begun = System.nanoTime();
        final OnVirtualThread<String> first = OnVirtualThread.start(this::receive);
        private final OnVirtualThread<String> second = OnVirtualThread.start(this::receive);
        private long raised;

        private String receive() {
            return Taking.of(() -> queue.take(Patience.nanos()));
        }

        /** The second event at about the time at which the first wakes a thread. */
        final void raiseBoth() {
            Taking.pauseUpTo(SPREAD_NANOS);
            one.raise();
            Taking.pauseUpTo(WAKING_NANOS);
            two.raise();
            raised = System.nanoTime();
        }

        final void look(LLLL_Result r) {
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

    /** Two events come up while two threads wait, one of which may be on its way. */
    @JCStressTest
    @Outcome(id = "event, event, in time, 0 left", expect = ACCEPTABLE, desc = "one each, in turn")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "one waited, and none was on its way")
    @Outcome(id = ".*, [1-9] left", expect = FORBIDDEN, desc = "an event came twice")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Catches(value = "a thread that arrives hands nothing on", as = ".*, stuck, .*")
    @State
    public static class TwoInAChain extends Two {
        @Actor
        public void raise() {
            raiseBoth();
        }

        @Arbiter
        public void result(LLLL_Result r) {
            look(r);
        }
    }

    /** The thread that is on its way is interrupted; the one behind it waits for its arrival. */
    @JCStressTest
    @Outcome(id = "event, event, in time, 0 left", expect = ACCEPTABLE, desc = "one each, in turn")
    @Outcome(id = "interrupted, event, in time, 1 left", expect = ACCEPTABLE, desc = "before it")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "one waited, and none was on its way")
    @Outcome(id = "event, event, .*, [1-9] left", expect = FORBIDDEN, desc = "an event came twice")
    @Outcome(id = "interrupted, event, .*, 0 left", expect = FORBIDDEN, desc = "one was lost")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Catches(value = "a woken thread never arrives", as = ".*, stuck, .*")
    @State
    public static class InterruptedOnItsWay extends Two {
        @Actor
        public void raise() {
            raiseBoth();
        }

        @Actor
        public void interrupt() {
            first.interrupt();
        }

        @Arbiter
        public void result(LLLL_Result r) {
            look(r);
        }
    }
}
