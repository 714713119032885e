package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.internal.soft.Completing;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Completions that are awaited, in batches and by several; threads that serve or hold events. */
public class AwaitRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** A CQ, a thread that awaits its completions, and one that adds them. */
    abstract static class Awaited extends TimedWait {
        final CompletionQueue cq = CONTEXT.createDirectCq(4);

        /** How many completions the thread got, as a word. */
        final String await(int number) {
            Duration patience = Duration.ofNanos(Patience.nanos());
            WorkCompletions batch = WorkCompletions.allocate(number);
            return Taking.of(() -> "" + cq.await(batch, number, patience));
        }

        /** Adds completions, after up to so many nanoseconds. */
        final void complete(int number, int spread) {
            Taking.pauseUpTo(spread);
            for (int i = 1; i <= number; i++) {
                Completing.complete(cq.ops(), i);
            }
            woken();
        }

        final void look(LLL_Result r) {
            r.r2 = inTime();
            r.r3 = cq.unackedEvents();
            cq.close();
        }
    }

    /** Completions come while a thread begins to wait for two, or parks after it polled for one. */
    @JCStressTest
    @Outcome(id = "all, in time, 0", expect = ACCEPTABLE, desc = "in one batch, acknowledged")
    @Outcome(id = "[0-9], .*", expect = FORBIDDEN, desc = "too few, or too many")
    @Outcome(id = ".*, stuck, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Outcome(id = ".*, .*, [1-9]", expect = FORBIDDEN, desc = "an event was not acknowledged")
    @Catches(value = "no poll after the arm", as = ".*, stuck, .*")
    @State
    public static class AwaitComplete extends Awaited {
        private final boolean polls = ThreadLocalRandom.current().nextBoolean();
        private final int number = polls ? 1 : 2;

        public AwaitComplete() {
            if (polls) {
                cq.direct().adaptivePolling().waited(0); // as if an event had come at once
            }
        }

        @Actor
        public void await(LLL_Result r) {
            String got = waitsAsVirtual(() -> await(number));
            r.r1 = got.equals("" + number) ? "all" : got;
        }

        @Actor
        public void complete() {
            complete(number, polls ? 100_000 : 60_000); // before, meanwhile, or once it is parked
        }

        @Arbiter
        public void result(LLL_Result r) {
            look(r);
        }
    }

    /** Two virtual threads come to share the arm of one CQ, and two completions are added. */
    @JCStressTest
    @Outcome(id = "1 and 1, in time, 0", expect = ACCEPTABLE, desc = "one each, acknowledged")
    @Outcome(id = ".*0.*, .*, .*", expect = FORBIDDEN, desc = "lost, or both went to one thread")
    @Outcome(id = ".*stuck.*", expect = FORBIDDEN, desc = "a waiter was not woken")
    @Outcome(id = ".*, .*, [1-9]", expect = FORBIDDEN, desc = "an event was not acknowledged")
    @Catches(value = "a thread that leaves with the arm used up wakes no thread", as = ".*stuck.*")
    @State
    public static class TwoAwait extends Awaited {
        private String two() {
            OnVirtualThread<String> one = OnVirtualThread.start(() -> await(1));
            OnVirtualThread<String> two = OnVirtualThread.start(() -> await(1));
            return one.join() + " and " + two.join();
        }

        @Actor
        public void await(LLL_Result r) {
            r.r1 = waits(this::two);
        }

        @Actor
        public void complete() {
            complete(2, 60_000); // both wait, one, or none
        }

        @Arbiter
        public void result(LLL_Result r) {
            look(r);
        }
    }

    /** Two threads begin to serve one CQ. */
    @JCStressTest
    @Outcome(id = "serving, refused|refused, serving", expect = ACCEPTABLE, desc = "either serves")
    @Outcome(id = "serving, serving", expect = FORBIDDEN, desc = "two handlers for one CQ")
    @Outcome(id = "refused, refused", expect = FORBIDDEN, desc = "no thread serves")
    @Catches(value = "two threads serve one CQ", as = "serving, serving")
    @State
    public static class TwoServers {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);

        private String serve() {
            try {
                cq.serve(batch -> {});
                return "serving";
            } catch (IllegalStateException e) {
                return "refused";
            }
        }

        @Actor
        public void first(LL_Result r) {
            r.r1 = serve();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = serve();
        }

        @Arbiter
        public void close() {
            cq.close();
        }
    }

    /** A CQ of which two events have come up. */
    abstract static class TwoEvents {
        final CompletionQueue cq = CONTEXT.createDirectCq(1);

        TwoEvents() {
            cq.listener().completionEvent();
            cq.listener().completionEvent();
        }
    }

    /** Two threads receive one event each. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "both are known")
    @Outcome(id = "[01]", expect = FORBIDDEN, desc = "one is forgotten: a close may hang")
    @Catches(value = "events that are held get lost", as = "[01]")
    @State
    public static class TwoHolders extends TwoEvents {
        private CqEvent one;
        private CqEvent two;

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

    /** Two threads close one event, while another event of the CQ is held. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the other event is unacknowledged")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the second close acknowledged the other event")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "no thread acknowledged the event")
    @Catches(value = "an event is acknowledged by a look and a write", as = "0")
    @State
    public static class TwoCloses extends TwoEvents {
        private final CqEvent other = cq.tryGetCqEvent();
        private final CqEvent event = cq.tryGetCqEvent();

        @Actor
        public void first() {
            event.close();
        }

        @Actor
        public void second() {
            event.close();
        }

        @Arbiter
        public void unacked(L_Result r) {
            int unacked = cq.unackedEvents();
            r.r1 = unacked;
            if (unacked == 1) {
                other.close();
            }
            cq.close(Duration.ZERO);
        }
    }
}
