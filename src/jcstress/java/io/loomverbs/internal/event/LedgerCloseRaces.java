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
import org.openjdk.jcstress.infra.results.LLL_Result;

import java.util.concurrent.atomic.AtomicInteger;

/** Closers against each other, and a close that fails against what goes on meanwhile. */
public class LedgerCloseRaces {

    /** How long after the other, and after its own start, a closer came back. */
    static boolean late(long begun, long otherEnded, long ended) {
        return Patience.late(begun, otherEnded, ended);
    }

    /** Two threads close a CQ without held events. */
    @JCStressTest
    @Outcome(
            id = "CLOSED, CLOSED, destroyed 1 times",
            expect = ACCEPTABLE,
            desc = "one destroyed it, the other waited or came later")
    @Outcome(
            id = ".*, destroyed [02] times",
            expect = FORBIDDEN,
            desc = "each object is destroyed once")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the closer that waited behind the other was not woken")
    @Catches(value = "two closers begin", as = ".*, destroyed [02] times")
    @Catches(value = "the end of a close wakes no closer", as = ".*, stuck")
    @State
    public static class TwoClosers {
        private final Ledger ledger = new Ledger();
        private final TestCloser device = TestCloser.destroying();
        private long firstBegun;
        private long firstEnded;
        private long secondBegun;
        private long secondEnded;

        @Actor
        public void first(LLL_Result r) {
            firstBegun = System.nanoTime();
            r.r1 = device.close(ledger, Patience.nanos());
            firstEnded = System.nanoTime();
        }

        @Actor
        public void second(LLL_Result r) {
            secondBegun = System.nanoTime();
            r.r2 = device.close(ledger, Patience.nanos());
            secondEnded = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            boolean stuck =
                    late(firstBegun, secondEnded, firstEnded)
                            || late(secondBegun, firstEnded, secondEnded);
            r.r3 = stuck ? "stuck" : "destroyed " + device.destroyed() + " times";
        }
    }

    /** Two threads close, and both wait for an event that a virtual thread acknowledges. */
    @JCStressTest
    @Outcome(
            id = "CLOSED, CLOSED, destroyed 1 times",
            expect = ACCEPTABLE,
            desc = "both were woken")
    @Outcome(
            id = ".*, destroyed [02] times",
            expect = FORBIDDEN,
            desc = "each object is destroyed once")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "a closer fell out of the stack and was not woken")
    @Catches(value = "closers overwrite one another on the stack", as = ".*, stuck")
    @Catches(value = "no look between the push and the park", as = ".*, stuck")
    @State
    public static class TwoClosersWait {
        private final Ledger ledger = new Ledger();
        private final TestCloser device = TestCloser.destroying();
        private long firstBegun;
        private long firstEnded;
        private long secondBegun;
        private long secondEnded;

        private final AtomicInteger begun = new AtomicInteger();
        private OnVirtualThread<Integer> holder;

        public TwoClosersWait() {
            ledger.tryDeliver();
        }

        /**
         * The second closer sets the holder going, so that both wait by the time it acknowledges.
         */
        private void begin() {
            if (begun.incrementAndGet() == 2) {
                holder = OnVirtualThread.start(() -> ledger.tryAck(1));
            }
        }

        @Actor
        public void first(LLL_Result r) {
            firstBegun = System.nanoTime();
            begin();
            r.r1 = ledger.close(Patience.nanos(), device);
            firstEnded = System.nanoTime();
        }

        @Actor
        public void second(LLL_Result r) {
            secondBegun = System.nanoTime();
            begin();
            r.r2 = ledger.close(Patience.nanos(), device);
            secondEnded = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            holder.join();
            boolean stuck =
                    late(firstBegun, secondEnded, firstEnded)
                            || late(secondBegun, firstEnded, secondEnded);
            r.r3 = stuck ? "stuck" : "destroyed " + device.destroyed() + " times";
        }
    }

    /** The device refuses one closer, and would not refuse the other. */
    @JCStressTest
    @Outcome(
            id = "REFUSED, CLOSED, in time",
            expect = ACCEPTABLE,
            desc = "the second one took over")
    @Outcome(id = "CLOSED, CLOSED, in time", expect = ACCEPTABLE, desc = "the second one was first")
    @Outcome(
            id = ".*, REFUSED, .*",
            expect = FORBIDDEN,
            desc = "the one that is not refused was refused")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the closer that waited behind the other was not woken to take over")
    @Catches(value = "the end of a close wakes no closer", as = ".*, stuck")
    @State
    public static class RefusedCloser {
        private final Ledger ledger = new Ledger();
        private long firstBegun;
        private long firstEnded;
        private long secondBegun;
        private long secondEnded;

        @Actor
        public void first(LLL_Result r) {
            firstBegun = System.nanoTime();
            r.r1 = ledger.close(Patience.nanos(), TestCloser.refusing());
            firstEnded = System.nanoTime();
        }

        @Actor
        public void second(LLL_Result r) {
            secondBegun = System.nanoTime();
            r.r2 = ledger.close(Patience.nanos(), TestCloser.destroying());
            secondEnded = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            boolean stuck =
                    late(firstBegun, secondEnded, firstEnded)
                            || late(secondBegun, firstEnded, secondEnded);
            r.r3 = stuck ? "stuck" : "in time";
        }
    }

    /** A close runs out of time while the last event is acknowledged. */
    @JCStressTest
    @Outcome(
            id = "TIMED_OUT, acked, open with 0",
            expect = ACCEPTABLE,
            desc = "the close ended before the acknowledgement")
    @Outcome(
            id = "CLOSED, acked, closed",
            expect = ACCEPTABLE,
            desc = "acknowledged before the close looked")
    @Outcome(
            id = ".*, refused, .*",
            expect = FORBIDDEN,
            desc = "the event could not be acknowledged")
    @Outcome(
            id = "TIMED_OUT, .*, open with 1",
            expect = FORBIDDEN,
            desc = "the failed close undid the acknowledgement")
    @Outcome(
            id = "TIMED_OUT, .*, closed",
            expect = FORBIDDEN,
            desc = "a close that failed left it closed")
    @Outcome(
            id = "CLOSED, .*, open.*",
            expect = FORBIDDEN,
            desc = "a close that succeeded left it open")
    @Catches(
            value = "a close that failed writes back what it read",
            as = "TIMED_OUT, .*, open with 1")
    @State
    public static class TimeoutAck {
        private final Ledger ledger = new Ledger();

        public TimeoutAck() {
            ledger.tryDeliver();
        }

        @Actor
        public void close(LLL_Result r) {
            r.r1 = ledger.close(0, TestCloser.destroying());
        }

        @Actor
        public void ack(LLL_Result r) {
            r.r2 = LedgerAckRaces.ack(ledger.tryAck(1));
        }

        @Arbiter
        public void after(LLL_Result r) {
            int before = ledger.outstanding();
            r.r3 = ledger.tryDeliver() == Ledger.REFUSED ? "closed" : "open with " + before;
        }
    }

    /** An event is delivered while the device is asked to destroy the CQ, and refuses. */
    @JCStressTest
    @Outcome(
            id = "REFUSED, refused, 0 held, open with 0",
            expect = ACCEPTABLE,
            desc = "delivered during the close")
    @Outcome(
            id = "REFUSED, delivered, 0 held, open with 1",
            expect = ACCEPTABLE,
            desc = "delivered after the close")
    @Outcome(
            id = "TIMED_OUT, delivered, 0 held, open with 1",
            expect = ACCEPTABLE,
            desc = "delivered before the close")
    @Outcome(
            id = ".*, 1 held, .*",
            expect = FORBIDDEN,
            desc = "the device was asked to destroy what the application holds")
    @Outcome(
            id = ".*, refused, .*, open with 1",
            expect = FORBIDDEN,
            desc = "an event is counted that no thread has")
    @Outcome(
            id = ".*, delivered, .*, open with 0",
            expect = FORBIDDEN,
            desc = "an event is held that is not counted")
    @Outcome(id = ".*, closed", expect = FORBIDDEN, desc = "a close that failed left it closed")
    @Catches(value = "a close that has begun does not stop deliveries", as = ".*, 1 held, .*")
    @State
    public static class RefusedDeliver {
        private final Ledger ledger = new Ledger();
        private int held;

        private boolean refuse() {
            // Long enough for a delivery to fall into.
            for (int i = 0; i < 20; i++) {
                held = Math.max(held, ledger.outstanding());
            }
            return false;
        }

        @Actor
        public void close(LLLL_Result r) {
            Closer device =
                    new TestCloser(true) {
                        @Override
                        public boolean destroy() {
                            return refuse();
                        }
                    };
            r.r1 = ledger.close(0, device);
            r.r3 = held + " held";
        }

        @Actor
        public void deliver(LLLL_Result r) {
            r.r2 = LedgerDeliverRaces.deliver(ledger.tryDeliver());
        }

        @Arbiter
        public void after(LLLL_Result r) {
            int before = ledger.outstanding();
            r.r4 = ledger.tryDeliver() == Ledger.REFUSED ? "closed" : "open with " + before;
        }
    }

    /** A closer is interrupted while the event that it waits for is acknowledged. */
    @JCStressTest
    @Outcome(
            id = "CLOSED, interrupted, in time",
            expect = ACCEPTABLE,
            desc = "the wait ended with the acknowledgement, the interrupt stayed")
    @Outcome(
            id = {"TIMED_OUT, .*", "GAVE_UP, .*"},
            expect = FORBIDDEN,
            desc = "the interrupt ended the wait")
    @Outcome(
            id = ".*, swallowed, .*",
            expect = FORBIDDEN,
            desc = "the thread does not know that it was interrupted")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the interrupt ate the wake-up")
    @Catches(value = "an interrupt ends a close", as = "GAVE_UP, .*")
    @Catches(value = "a close swallows an interrupt", as = ".*, swallowed, .*")
    @State
    public static class InterruptedCloser {
        private final Ledger ledger = new Ledger();
        private final OnVirtualThread<CloseOutcome> closer;
        private boolean status;
        private long acked;
        private long begun;
        private long closed;

        public InterruptedCloser() {
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close(OnVirtualThread<CloseOutcome> self) {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.nanos(), TestCloser.destroying());
            closed = System.nanoTime();
            status = self.awaitInterrupt();
            return outcome;
        }

        @Actor
        public void interrupt() {
            closer.interrupt();
        }

        @Actor
        public void ack() {
            ledger.tryAck(1);
            acked = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = closer.join();
            r.r2 = status ? "interrupted" : "swallowed";
            r.r3 = Patience.late(begun, acked, closed) ? "stuck" : "in time";
        }
    }

    /** Behind one closer two others wait, and one of them gives up. */
    @JCStressTest
    @Outcome(
            id = "CLOSED, TIMED_OUT, in time",
            expect = ACCEPTABLE,
            desc = "a thread that gave up did not take the other along")
    @Outcome(
            id = "CLOSED, CLOSED, in time",
            expect = ACCEPTABLE,
            desc = "closed before the other gave up")
    @Outcome(id = "TIMED_OUT, .*", expect = FORBIDDEN, desc = "an untimed closer gave up")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "a thread that gave up took the other off the stack")
    @Catches(value = "a thread that leaves takes others along", as = ".*, stuck")
    @State
    public static class CloserGivesUp {
        private final Ledger ledger = new Ledger();
        private final OnVirtualThread<CloseOutcome> closer;
        private long acked;
        private long begun;
        private long ended;

        public CloserGivesUp() {
            ledger.tryDeliver();
            closer =
                    OnVirtualThread.start(
                            () -> ledger.close(Patience.nanos(), TestCloser.destroying()));
        }

        @Actor
        public void waitForIt(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = ledger.close(Patience.nanos(), TestCloser.destroying());
            ended = System.nanoTime();
        }

        @Actor
        public void giveUpThenAck(LLL_Result r) {
            r.r2 = ledger.close(10_000, TestCloser.destroying());
            ledger.tryAck(1);
            acked = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LLL_Result r) {
            closer.join();
            r.r3 = Patience.late(begun, acked, ended) ? "stuck" : "in time";
        }
    }
}
