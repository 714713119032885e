package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.time.Duration;

/** Channels, and CQs with direct delivery, that are closed while threads wait. */
public class ChannelRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    private static Duration patience() {
        return Duration.ofNanos(Patience.nanos());
    }

    private static String of(Taking.Call call) {
        try {
            Object taken = call.take();
            return taken == null ? "none" : taken.toString();
        } catch (ClosedException e) {
            return "closed";
        } catch (InterruptedException e) {
            return "interrupted";
        }
    }

    /** Waits with a bound that no wake-up takes as long as; says of what the event is. */
    private static String receive(CompletionChannel channel) throws InterruptedException {
        CqEvent event = channel.getCqEvent(patience());
        if (event == null) {
            return null;
        }
        String state = event.cq().ledger().isClosed() ? "event of a closed CQ" : "event";
        event.close();
        return state;
    }

    /** A channel is closed while a virtual thread comes to wait on it. */
    @JCStressTest
    @Outcome(id = "closed, in time", expect = ACCEPTABLE, desc = "the waiter heard of the close")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the close")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a waiter looks for the end before it has the lock", as = ".*, stuck")
    @State
    public static class CloseTake {
        private final CompletionChannel channel = CONTEXT.createCompChannel();
        private long closed;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> of(() -> receive(channel)));
            taken = System.nanoTime();
        }

        @Actor
        public void close() {
            OnVirtualThread.run(channel::close); // as late as the other one
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }

    /** An event comes up while its CQ and then the channel are closed, under a waiting thread. */
    @JCStressTest
    @Outcome(
            id = "event, closed, in time",
            expect = ACCEPTABLE,
            desc = "received and acknowledged before the CQ was closed")
    @Outcome(
            id = "closed, closed, in time",
            expect = ACCEPTABLE,
            desc = "closed before: the event is dropped")
    @Outcome(
            id = "event of a closed CQ, .*",
            expect = FORBIDDEN,
            desc = "an event of a CQ that is closed")
    @Outcome(
            id = ".*, event.*, .*",
            expect = FORBIDDEN,
            desc = "an event after its CQ was closed, or twice")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "the waiter did not hear of the close")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "closing does not stop deliveries", as = "event of a closed CQ, .*")
    @State
    public static class CloseRaise {
        private final CompletionChannel channel = CONTEXT.createCompChannel();
        private final CompletionQueue cq = CONTEXT.createCq(1, null, channel, 0);
        private final CqListener listener = cq.listener();
        private final OnVirtualThread<String> waiter;
        private volatile String second;
        private long closed;
        private long begun;
        private long taken;

        public CloseRaise() {
            waiter = OnVirtualThread.start(this::takeTwice);
        }

        private String takeTwice() {
            String first = of(() -> receive(channel));
            begun = System.nanoTime();
            second = of(() -> receive(channel));
            taken = System.nanoTime();
            return first;
        }

        @Actor
        public void raise() {
            listener.completionEvent();
        }

        @Actor
        public void close() {
            cq.close();
            channel.close();
            closed = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = second;
            r.r3 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }

    /** A CQ with direct delivery is closed while a virtual thread comes to wait for its event. */
    @JCStressTest
    @Outcome(id = "closed, in time", expect = ACCEPTABLE, desc = "the waiter heard of the close")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the close")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a thread that comes after the end is not told", as = ".*, stuck")
    @State
    public static class DirectCloseTake {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);
        private long closed;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> of(() -> cq.getCqEvent(patience())));
            taken = System.nanoTime();
        }

        @Actor
        public void close() {
            OnVirtualThread.run(cq::close); // as late as the other one
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }

    /** A CQ is closed while a virtual thread awaits its completions. */
    @JCStressTest
    @Outcome(id = "closed, in time", expect = ACCEPTABLE, desc = "the waiter heard of the close")
    @Outcome(id = "[01], .*", expect = FORBIDDEN, desc = "the wait ended without a reason")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the close")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a waiter looks for the end before it has the lock", as = ".*, stuck")
    @State
    public static class DirectCloseAwait {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);
        private final WorkCompletions batch = WorkCompletions.allocate(1);
        private long closed;
        private long begun;
        private long taken;

        @Actor
        public void await(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> of(() -> cq.await(batch, 1, patience())));
            taken = System.nanoTime();
        }

        @Actor
        public void close() {
            OnVirtualThread.run(cq::close); // as late as the other one
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }
}
