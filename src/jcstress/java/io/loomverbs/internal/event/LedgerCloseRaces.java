package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
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

    /**
     * Two threads close, each of which may wait for the other. Both may also wait for an event,
     * which a virtual thread acknowledges, and the device may refuse one of them.
     */
    @JCStressTest
    @Outcome(id = "CLOSED, CLOSED, destroyed by one", expect = ACCEPTABLE, desc = "by either")
    @Outcome(id = "REFUSED, CLOSED, destroyed by one", expect = ACCEPTABLE, desc = "taken over")
    @Outcome(id = ".*, destroyed by (none|two)", expect = FORBIDDEN, desc = "not once")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "one that waited was not woken")
    @Catches(value = "two closers begin", as = ".*, destroyed by (none|two)")
    @Catches(value = "the end of a close wakes no closer", as = ".*, stuck")
    @Catches(value = "closers overwrite one another on the stack", as = ".*, stuck")
    @Catches(value = "no look between the push and the park", as = ".*, stuck")
    @State
    public static class TwoClosers {
        private final boolean held = ThreadLocalRandom.current().nextBoolean();
        private final boolean refused = ThreadLocalRandom.current().nextBoolean();
        private final Ledger ledger = LedgerAckRaces.delivered(held ? 1 : 0);
        private final TestCloser device = TestCloser.destroying();
        private final TimedWait one = new TimedWait();
        private final TimedWait two = new TimedWait();
        private final AtomicInteger begun = new AtomicInteger();
        private OnVirtualThread<Integer> holder;

        /** The second closer sets the holder going: both wait by the time it acknowledges. */
        private Object close(Closer by, TimedWait own, TimedWait other) {
            if (begun.incrementAndGet() == 2 && held) {
                holder = OnVirtualThread.start(() -> ledger.tryAck(1));
            }
            Object outcome = own.waits(() -> LedgerCloseRaces.close(ledger, Patience.nanos(), by));
            other.woken();
            return outcome;
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = close(refused ? TestCloser.refusing() : device, one, two);
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = close(device, two, one);
        }

        @Arbiter
        public void result(LLL_Result r) {
            if (held) {
                holder.join();
            }
            boolean stuck = one.isLate() || two.isLate();
            String by = List.of("none", "one", "two").get(device.destroyed());
            r.r3 = stuck ? "stuck" : "destroyed by " + by;
        }
    }

    /** A close runs out of time while the last event is acknowledged. */
    @JCStressTest
    @Outcome(id = "TIMED_OUT, acked, open with 0", expect = ACCEPTABLE, desc = "ended before that")
    @Outcome(id = "CLOSED, acked, closed", expect = ACCEPTABLE, desc = "acknowledged before")
    @Outcome(id = ".*, open with 1", expect = FORBIDDEN, desc = "it undid the acknowledgement")
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
