package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.atomic.AtomicInteger;

/** Closers against each other, against deliveries, and against what goes on meanwhile. */
public class LedgerCloseRaces {

    static String deliver(Ledger ledger) {
        return ledger.tryDeliver() == Ledger.REFUSED ? "refused" : "delivered";
    }

    /** Whether a ledger is open afterwards, and with how many events. */
    static String state(Ledger ledger) {
        int before = ledger.outstanding();
        return deliver(ledger).equals("refused") ? "closed" : "open with " + before;
    }

    /** Closes, waits for everything that is held, and is not refused. */
    static CloseOutcome close(Ledger ledger) {
        return ledger.close(Patience.nanos(), TestCloser.destroying());
    }

    /** What came of a close; a ledger whose state was overwritten throws. */
    private static Object close(Ledger ledger, long nanos, Closer by) {
        try {
            return ledger.close(nanos, by);
        } catch (IllegalStateException e) {
            return e;
        }
    }

    /** An event is delivered while another thread closes without waiting. */
    @JCStressTest
    @Outcome(id = "delivered, TIMED_OUT", expect = ACCEPTABLE, desc = "delivered before the close")
    @Outcome(id = "refused, CLOSED", expect = ACCEPTABLE, desc = "closed before the delivery")
    @Outcome(id = "delivered, CLOSED", expect = FORBIDDEN, desc = "destroyed with an event held")
    @Outcome(id = "refused, TIMED_OUT", expect = FORBIDDEN, desc = "waited for what no thread has")
    @Catches(value = "a delivery overwrites a close", as = "delivered, CLOSED")
    @State
    public static class DeliverClose {
        private final Ledger ledger = new Ledger();

        @Actor
        public void deliver(LL_Result r) {
            r.r1 = LedgerCloseRaces.deliver(ledger);
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = LedgerCloseRaces.close(ledger, 0, TestCloser.destroying());
        }
    }

    /** Two threads close one ledger, each of which may wait for the other. */
    abstract static class TwoClose {
        final Ledger ledger = new Ledger();
        final TestCloser device = TestCloser.destroying();
        private final TimedWait one = new TimedWait();
        private final TimedWait two = new TimedWait();

        final Object first(TestCloser by) {
            return close(by, one, two);
        }

        final Object second(TestCloser by) {
            return close(by, two, one);
        }

        private Object close(TestCloser by, TimedWait own, TimedWait other) {
            Object outcome = own.waits(() -> LedgerCloseRaces.close(ledger, Patience.nanos(), by));
            other.woken();
            return outcome;
        }

        final String destroyed() {
            return both("destroyed " + device.destroyed() + " times");
        }

        final String both(String inTime) {
            return one.isLate() || two.isLate() ? "stuck" : inTime;
        }
    }

    /** Two threads close a CQ without held events. */
    @JCStressTest
    @Outcome(id = "CLOSED, CLOSED, destroyed 1 times", expect = ACCEPTABLE, desc = "by either")
    @Outcome(id = ".*, destroyed [02] times", expect = FORBIDDEN, desc = "not once")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the one that waited was not woken")
    @Catches(value = "two closers begin", as = ".*, destroyed [02] times")
    @Catches(value = "the end of a close wakes no closer", as = ".*, stuck")
    @State
    public static class TwoClosers extends TwoClose {
        @Actor
        public void first(LLL_Result r) {
            r.r1 = first(device);
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = second(device);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = destroyed();
        }
    }

    /** Two threads close, and both wait for an event that a virtual thread acknowledges. */
    @JCStressTest
    @Outcome(id = "CLOSED, CLOSED, destroyed 1 times", expect = ACCEPTABLE, desc = "both woken")
    @Outcome(id = ".*, destroyed [02] times", expect = FORBIDDEN, desc = "not once")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "one fell out of the stack")
    @Catches(value = "closers overwrite one another on the stack", as = ".*, stuck")
    @Catches(value = "no look between the push and the park", as = ".*, stuck")
    @State
    public static class TwoClosersWait extends TwoClose {
        private final AtomicInteger begun = new AtomicInteger();
        private OnVirtualThread<Integer> holder;

        public TwoClosersWait() {
            ledger.tryDeliver();
        }

        /** The second closer sets the holder going: both wait by the time it acknowledges. */
        private void begin() {
            if (begun.incrementAndGet() == 2) {
                holder = OnVirtualThread.start(() -> ledger.tryAck(1));
            }
        }

        @Actor
        public void first(LLL_Result r) {
            begin();
            r.r1 = first(device);
        }

        @Actor
        public void second(LLL_Result r) {
            begin();
            r.r2 = second(device);
        }

        @Arbiter
        public void result(LLL_Result r) {
            holder.join();
            r.r3 = destroyed();
        }
    }

    /** The device refuses one closer, and would not refuse the other. */
    @JCStressTest
    @Outcome(id = "REFUSED, CLOSED, in time", expect = ACCEPTABLE, desc = "the second took over")
    @Outcome(id = "CLOSED, CLOSED, in time", expect = ACCEPTABLE, desc = "the second was first")
    @Outcome(id = ".*, REFUSED, .*", expect = FORBIDDEN, desc = "the wrong one was refused")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "it was not woken to take over")
    @Catches(value = "the end of a close wakes no closer", as = ".*, stuck")
    @State
    public static class RefusedCloser extends TwoClose {
        @Actor
        public void first(LLL_Result r) {
            r.r1 = first(TestCloser.refusing());
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = second(device);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = both("in time");
        }
    }

    /** A close runs out of time while the last event is acknowledged. */
    @JCStressTest
    @Outcome(id = "TIMED_OUT, acked, open with 0", expect = ACCEPTABLE, desc = "ended before that")
    @Outcome(id = "CLOSED, acked, closed", expect = ACCEPTABLE, desc = "acknowledged before")
    @Outcome(id = ".*, refused, .*", expect = FORBIDDEN, desc = "it could not be acknowledged")
    @Outcome(id = "CLOSED, .*, open.*", expect = FORBIDDEN, desc = "succeeded, and left it open")
    @Outcome(id = ".*, open with 1", expect = FORBIDDEN, desc = "it undid the acknowledgement")
    @Outcome(id = ".*, closed", expect = FORBIDDEN, desc = "failed, and left it closed")
    @Catches(value = "a close that failed writes back what it read", as = ".*, open with 1")
    @State
    public static class TimeoutAck {
        private final Ledger ledger = LedgerAckRaces.delivered(1);

        @Actor
        public void close(LLL_Result r) {
            r.r1 = ledger.close(0, TestCloser.destroying());
        }

        @Actor
        public void ack(LLL_Result r) {
            r.r2 = LedgerAckRaces.ack(ledger, 1);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = state(ledger);
        }
    }

    /** An event is delivered while the device is asked to destroy the CQ, and refuses. */
    @JCStressTest
    @Outcome(id = "REFUSED, refused, 0 held, open with 0", expect = ACCEPTABLE, desc = "meanwhile")
    @Outcome(id = "REFUSED, delivered, 0 held, open with 1", expect = ACCEPTABLE, desc = "after it")
    @Outcome(id = "TIMED_OUT, delivered, 0 held, open with 1", expect = ACCEPTABLE, desc = "before")
    @Outcome(id = ".*, 1 held, .*", expect = FORBIDDEN, desc = "asked to destroy what is held")
    @Outcome(id = ".*, refused, .*, open with 1", expect = FORBIDDEN, desc = "no thread has it")
    @Outcome(id = ".*, delivered, .*, open with 0", expect = FORBIDDEN, desc = "it is not counted")
    @Outcome(id = ".*, closed", expect = FORBIDDEN, desc = "a close that failed left it closed")
    @Catches(value = "a close that has begun does not stop deliveries", as = ".*, 1 held, .*")
    @State
    public static class RefusedDeliver {
        private final Ledger ledger = new Ledger();
        private int held;

        private final TestCloser device =
                new TestCloser(true) {
                    @Override
                    public boolean destroy() {
                        for (int i = 0; i < 20; i++) { // long enough for a delivery to fall into
                            held = Math.max(held, ledger.outstanding());
                        }
                        return false;
                    }
                };

        @Actor
        public void close(LLLL_Result r) {
            r.r1 = ledger.close(0, device);
            r.r3 = held + " held";
        }

        @Actor
        public void deliver(LLLL_Result r) {
            r.r2 = LedgerCloseRaces.deliver(ledger);
        }

        @Arbiter
        public void result(LLLL_Result r) {
            r.r4 = state(ledger);
        }
    }

    /** A closer is interrupted while the event that it waits for is acknowledged. */
    @JCStressTest
    @Outcome(id = "CLOSED, pending, in time", expect = ACCEPTABLE, desc = "the interrupt stayed")
    @Outcome(id = "(TIMED_OUT|GAVE_UP), .*", expect = FORBIDDEN, desc = "it ended the wait")
    @Outcome(id = ".*, clear, .*", expect = FORBIDDEN, desc = "the interrupt was swallowed")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the interrupt ate the wake-up")
    @Catches(value = "an interrupt ends a close", as = "(TIMED_OUT|GAVE_UP), .*")
    @Catches(value = "a close swallows an interrupt", as = ".*, clear, .*")
    @State
    public static class InterruptedCloser extends TimedWait {
        private final Ledger ledger = LedgerAckRaces.delivered(1);
        private final OnVirtualThread<CloseOutcome> closer =
                OnVirtualThread.startInterruptible(
                        () -> waits(() -> LedgerCloseRaces.close(ledger)));

        @Actor
        public void interrupt() {
            closer.interrupt();
        }

        @Actor
        public void ack() {
            wakes(() -> ledger.tryAck(1));
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = closer.join();
            r.r2 = closer.interruptStatus();
            r.r3 = inTime();
        }
    }

    /** Behind one closer two others wait, and one of them gives up. */
    @JCStressTest
    @Outcome(id = "CLOSED, TIMED_OUT", expect = ACCEPTABLE, desc = "it left the other")
    @Outcome(id = "CLOSED, CLOSED", expect = ACCEPTABLE, desc = "closed before that")
    @Outcome(id = "TIMED_OUT.*", expect = FORBIDDEN, desc = "an untimed closer gave up")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "it took the other off the stack")
    @Catches(value = "a thread that leaves takes others along", as = ".*late, .*")
    @State
    public static class CloserGivesUp extends TimedWait {
        private final Ledger ledger = LedgerAckRaces.delivered(1);

        public CloserGivesUp() {
            OnVirtualThread.start(() -> LedgerCloseRaces.close(ledger));
        }

        @Actor
        public void waitForIt(LL_Result r) {
            r.r1 = orLate(waits(() -> LedgerCloseRaces.close(ledger)));
        }

        @Actor
        public void giveUpThenAck(LL_Result r) {
            r.r2 = ledger.close(10_000, TestCloser.destroying());
            wakes(() -> ledger.tryAck(1));
        }
    }
}
