package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.soft.Completing;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

import java.time.Duration;

/** Completions that are awaited, in batches and by several; threads that serve or hold events. */
public class AwaitRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    private static Duration patience() {
        return Duration.ofNanos(Patience.nanos());
    }

    /** How many completions it got, as a word. */
    private static String of(Taking.Call call) {
        try {
            return String.valueOf(call.take());
        } catch (InterruptedException e) {
            return "interrupted";
        }
    }

    private static WorkCompletions batch(int capacity) {
        return WorkCompletions.allocate(capacity);
    }

    /** Starts to serve a CQ, and says whether that was allowed. */
    private static String serve(CompletionQueue cq) {
        try {
            cq.serve(batch -> {});
            return "serving";
        } catch (IllegalStateException e) {
            return "refused";
        }
    }

    /** Two completions are added while a virtual thread comes to wait for a batch of two. */
    @JCStressTest
    @Outcome(
            id = "2, in time, 0",
            expect = ACCEPTABLE,
            desc = "both completions in one batch, every event acknowledged")
    @Outcome(id = "[013-9], .*", expect = FORBIDDEN, desc = "too few, or too many")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Outcome(id = ".*, .*, [1-9]", expect = FORBIDDEN, desc = "an event was not acknowledged")
    @Catches(value = "no poll after the arm", as = ".*, stuck, .*")
    @State
    public static class AwaitTwo {
        private final CompletionQueue cq = CONTEXT.createDirectCq(4);
        private long done;
        private long begun;
        private long taken;

        @Actor
        public void await(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> of(() -> cq.await(batch(2), 2, patience())));
            taken = System.nanoTime();
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(60_000); // both wait, one, or none
            Completing.complete(cq.ops(), 1);
            Completing.complete(cq.ops(), 2);
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = Patience.late(begun, done, taken) ? "stuck" : "in time";
            r.r3 = cq.unackedEvents();
            cq.close();
        }
    }

    /** A thread that has polled for a while parks while the completion comes. */
    @JCStressTest
    @Outcome(id = "1, in time, 0", expect = ACCEPTABLE, desc = "found, or woken")
    @Outcome(id = "0, .*", expect = FORBIDDEN, desc = "the completion was lost")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Outcome(id = ".*, .*, [1-9]", expect = FORBIDDEN, desc = "an event was not acknowledged")
    @Catches(value = "no poll after the arm", as = ".*, stuck, .*")
    @State
    public static class PollThenPark {
        private final CompletionQueue cq = CONTEXT.createDirectCq(4);
        private long done;
        private long begun;
        private long taken;

        public PollThenPark() {
            cq.direct().adaptivePolling().waited(0); // as if an event had come at once
        }

        @Actor
        public void await(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> of(() -> cq.await(batch(1), 1, patience())));
            taken = System.nanoTime();
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(100_000); // while it polls, or as it ends to poll
            Completing.complete(cq.ops(), 1);
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = Patience.late(begun, done, taken) ? "stuck" : "in time";
            r.r3 = cq.unackedEvents();
            cq.close();
        }
    }

    /** Two virtual threads come to share the arm of one CQ, and two completions are added. */
    @JCStressTest
    @Outcome(
            id = "1 and 1, in time, 0",
            expect = ACCEPTABLE,
            desc = "one each, every event acknowledged")
    @Outcome(
            id = ".*0.*, .*, .*",
            expect = FORBIDDEN,
            desc = "a completion was lost, or went to the same")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "a waiter was not woken")
    @Outcome(id = ".*, .*, [1-9]", expect = FORBIDDEN, desc = "an event was not acknowledged")
    @Catches(
            value = "a thread that leaves with the arm used up wakes no thread",
            as = ".*, stuck, .*")
    @State
    public static class TwoAwait {
        private final CompletionQueue cq = CONTEXT.createDirectCq(4);
        private long done;
        private long begun;
        private long taken;

        private String one() {
            return of(() -> cq.await(batch(1), 1, patience()));
        }

        @Actor
        public void await(LLL_Result r) {
            begun = System.nanoTime();
            OnVirtualThread<String> one = OnVirtualThread.start(this::one);
            OnVirtualThread<String> two = OnVirtualThread.start(this::one);
            r.r1 = one.join() + " and " + two.join();
            taken = System.nanoTime();
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(60_000); // both wait, one, or none
            Completing.complete(cq.ops(), 1);
            Completing.complete(cq.ops(), 2);
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = Patience.late(begun, done, taken) ? "stuck" : "in time";
            r.r3 = cq.unackedEvents();
            cq.close();
        }
    }

    /** Two threads begin to serve one CQ. */
    @JCStressTest
    @Outcome(id = "serving, refused", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(id = "refused, serving", expect = ACCEPTABLE, desc = "the second actor was first")
    @Outcome(id = "serving, serving", expect = FORBIDDEN, desc = "two handlers for one CQ")
    @Outcome(id = "refused, refused", expect = FORBIDDEN, desc = "no thread serves")
    @Catches(value = "two threads serve one CQ", as = "serving, serving")
    @State
    public static class TwoServers {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);

        @Actor
        public void first(LL_Result r) {
            r.r1 = serve(cq);
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = serve(cq);
        }

        @Arbiter
        public void close() {
            cq.close();
        }
    }

    /** Two threads receive one event each. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "both are known")
    @Outcome(
            id = "[01]",
            expect = FORBIDDEN,
            desc =
                    "a thread that holds an event was forgotten: a close would not notice that it"
                            + " waits for itself")
    @Catches(value = "events that are held get lost", as = "[01]")
    @State
    public static class TwoHolders {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);
        private CqEvent one;
        private CqEvent two;

        public TwoHolders() {
            cq.listener().completionEvent();
            cq.listener().completionEvent();
        }

        @Actor
        public void first() {
            one = cq.tryGetCqEvent();
        }

        @Actor
        public void second() {
            two = cq.tryGetCqEvent();
        }

        @Arbiter
        public void holders(L_Result r) {
            r.r1 = cq.ledger().holders().size();
            one.close();
            two.close();
            cq.close();
        }
    }
}
