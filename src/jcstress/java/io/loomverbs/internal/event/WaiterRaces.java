package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.L_Result;

/** A thread that was given an event waits with the same {@link Waiter} again. */
public class WaiterRaces {
    private static final Thread OTHER = Thread.ofVirtual().unstarted(() -> {});

    /** Two threads are woken. The first goes on before it is told, and waits again once it may. */
    @JCStressTest
    @Outcome(id = "woken", expect = ACCEPTABLE, desc = "its link was read before")
    @Outcome(id = "stuck", expect = FORBIDDEN, desc = "the second was not woken")
    @Outcome(id = "linked", expect = FORBIDDEN, desc = "the first waits in two lists")
    @Catches(value = "a waiter is used again with its old links", as = "linked")
    @Catches(value = "a thread is told before its link is read", as = "stuck")
    @State
    public static class WakeWaitAgain {
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
