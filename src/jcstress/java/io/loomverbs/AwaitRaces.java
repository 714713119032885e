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

    /**
     * Completions come while a thread begins to wait for two, or parks after it polled for one, or
     * while two virtual threads come to share the arm of the CQ and wait for one each.
     */
    @JCStressTest
    @Outcome(id = "all, in time, 0", expect = ACCEPTABLE, desc = "in a batch or one each")
    @Outcome(id = ".*stuck.*", expect = FORBIDDEN, desc = "a waiter was not woken")
    @Catches(value = "no poll after the arm", as = ".*stuck.*")
    @Catches(value = "a thread does not arm for fewer after a poll", as = ".*stuck.*")
    @Catches(value = "a thread that leaves with the arm used up wakes no thread", as = ".*stuck.*")
    @State
    public static class AwaitComplete extends TimedWait {
        private final CompletionQueue cq = CONTEXT.createDirectCq(4);
        private final boolean polls = ThreadLocalRandom.current().nextBoolean();
        private final int number = polls ? 1 : 2;
        private final int threads = polls ? 1 : ThreadLocalRandom.current().nextInt(1, 3);

        public AwaitComplete() {
            if (polls) {
                cq.direct().adaptivePolling().waited(0); // as if an event had come at once
            }
        }

        /** Whether a thread got as many completions as it waits for; else how many, as a word. */
        private String awaitOne() {
            int share = number / threads;
            WorkCompletions batch = WorkCompletions.allocate(share);
            String got = Taking.of(() -> "" + cq.await(batch, share, Patience.time()));
            return got.equals("" + share) ? "all" : got;
        }

        private String awaitAll() {
            OnVirtualThread<String> other = OnVirtualThread.start(this::awaitOne);
            String got = threads == 1 ? "all" : OnVirtualThread.call(this::awaitOne);
            return got.equals("all") ? other.join() : got + " and " + other.join();
        }

        @Actor
        public void await(LLL_Result r) {
            r.r1 = waits(this::awaitAll);
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(polls ? 100_000 : 60_000); // before, meanwhile, or once it is parked
            for (int i = 1; i <= number; i++) {
                Completing.complete(cq.ops(), i);
            }
            woken();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = inTime();
            r.r3 = cq.unackedEvents();
            cq.close();
        }
    }

    /** Two threads begin to serve one CQ. */
    @JCStressTest
    @Outcome(id = "serving, refused|refused, serving", expect = ACCEPTABLE, desc = "either serves")
    @Outcome(id = "serving, serving", expect = FORBIDDEN, desc = "two handlers for one CQ")
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
