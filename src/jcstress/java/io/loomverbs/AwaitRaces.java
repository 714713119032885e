package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.internal.soft.SoftCqRaces;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Completions and events that are awaited, held, or served, and closes meanwhile. */
public class AwaitRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** Completions come while a thread begins to wait for two, two for one each, or one parks. */
    @JCStressTest
    @Outcome(id = "all, in time, 0", expect = ACCEPTABLE, desc = "in a batch or one each")
    @Outcome(id = ".*stuck.*", expect = FORBIDDEN, desc = "a waiter was not woken")
    @Catches(value = "no poll after the arm", as = ".*stuck.*")
    @Catches(value = "a thread that waits for many does not arm for fewer", as = ".*stuck.*")
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
            for (int i = 1; i <= number; i++) {
                Taking.pauseUpTo(polls ? 100_000 : 60_000); // before, meanwhile, or once it parks
                SoftCqRaces.complete(cq.ops(), i);
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

    /** Waits with a bound that no wake-up takes as long as; says of what the event is. */
    private static String receive(CompletionChannel channel) {
        return Taking.of(
                () -> {
                    CqEvent event = channel.getCqEvent(Patience.time());
                    if (event == null) {
                        return null;
                    }
                    boolean closed = event.cq().ledger().isClosed();
                    event.close();
                    return closed ? "event of a closed CQ" : "event";
                });
    }

    /** A channel is closed while a thread asks for its descriptor. */
    @JCStressTest
    @Outcome(id = "(given|closed), given back", expect = ACCEPTABLE, desc = "nothing is left")
    @Outcome(id = ".*, left open", expect = FORBIDDEN, desc = "no thread closes it any more")
    @Catches(value = "a descriptor is made for a channel that is closed", as = ".*, left open")
    @Catches(value = "a channel leaves its descriptor open", as = ".*, left open")
    @State
    public static class CloseFd {
        private final CompletionChannel channel = CONTEXT.createCompChannel();

        @Actor
        public void ask(LL_Result r) {
            r.r1 = Taking.of(() -> channel.fd() < 0 ? null : "given");
        }

        @Actor
        public void close() {
            channel.close();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = channel.queue().fd() < 0 ? "given back" : "left open";
            channel.queue().unwatch();
        }
    }

    /** A CQ with direct delivery is closed while a virtual thread comes to wait for its event. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "the waiter heard of the close")
    @Outcome(id = ".*late", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a thread that comes after the end is not told", as = ".*late")
    @State
    public static class DirectCloseTake extends TimedWait {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);

        @Actor
        public void take(L_Result r) {
            r.r1 = waitsInTime(() -> Taking.of(() -> cq.getCqEvent(Patience.time())));
        }

        @Actor
        public void close() {
            wakesAsVirtual(cq::close);
        }
    }

    /** An event comes up while its CQ and then the channel are closed, under a waiting thread. */
    @JCStressTest
    @Outcome(id = "event, closed, in time", expect = ACCEPTABLE, desc = "received before the close")
    @Outcome(id = "closed, closed, in time", expect = ACCEPTABLE, desc = "the event is dropped")
    @Outcome(id = "event of a closed CQ, .*", expect = FORBIDDEN, desc = "received after its close")
    @Catches(value = "closing does not stop deliveries", as = "event of a closed CQ, .*")
    @State
    public static class CloseRaise extends TimedWait {
        private final CompletionChannel channel = CONTEXT.createCompChannel();
        private final CompletionQueue cq = CONTEXT.createCq(1, null, channel, 0);
        private final CqListener listener = cq.listener();
        private final OnVirtualThread<String> waiter = OnVirtualThread.start(this::takeTwice);
        private volatile String second;

        private String takeTwice() {
            String first = receive(channel);
            second = waits(() -> receive(channel));
            return first;
        }

        @Actor
        public void raise() {
            listener.completionEvent();
        }

        @Actor
        public void close() {
            cq.close();
            wakes(channel::close);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = second;
            r.r3 = inTime();
        }
    }
}
