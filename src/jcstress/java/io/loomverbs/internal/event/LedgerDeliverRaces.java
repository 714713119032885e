package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/** A delivery against a close: one of them sees the other. */
public class LedgerDeliverRaces {

    static String deliver(int answer) {
        return answer == Ledger.REFUSED ? "refused" : "delivered";
    }

    /** An event is delivered while another thread closes without waiting. */
    @JCStressTest
    @Outcome(id = "delivered, TIMED_OUT", expect = ACCEPTABLE, desc = "delivered before the close")
    @Outcome(id = "refused, CLOSED", expect = ACCEPTABLE, desc = "closed before the delivery")
    @Outcome(
            id = "delivered, CLOSED",
            expect = FORBIDDEN,
            desc = "destroyed while the application holds an event")
    @Outcome(
            id = "refused, TIMED_OUT",
            expect = FORBIDDEN,
            desc = "the close waited for an event that was not delivered")
    @Catches(value = "a delivery overwrites a close", as = "delivered, CLOSED")
    @State
    public static class DeliverClose {
        private final Ledger ledger = new Ledger();

        @Actor
        public void deliver(LL_Result r) {
            r.r1 = LedgerDeliverRaces.deliver(ledger.tryDeliver());
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = TestCloser.destroying().close(ledger, 0);
        }
    }

    /** An event is delivered and acknowledged while another thread closes. */
    @JCStressTest
    @Outcome(
            id = "acked, CLOSED, in time",
            expect = ACCEPTABLE,
            desc = "delivered before the close, which waited")
    @Outcome(
            id = "refused, CLOSED, in time",
            expect = ACCEPTABLE,
            desc = "closed before the delivery")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the last acknowledgement did not wake the closer")
    @Outcome(
            id = "not acked, .*",
            expect = FORBIDDEN,
            desc = "what was delivered could not be acknowledged: the close did not wait for it")
    @Catches(value = "no look between the push and the park", as = ".*, stuck")
    @State
    public static class DeliverAckClose {
        private final Ledger ledger = new Ledger();
        private long acked;
        private long begun;
        private long closed;

        @Actor
        public void deliverAndAck(LLL_Result r) {
            r.r1 = "refused";
            if (ledger.tryDeliver() != Ledger.REFUSED) {
                r.r1 = ledger.tryAck(1) == Ledger.ACKED ? "acked" : "not acked";
            }
            acked = System.nanoTime();
        }

        @Actor
        public void close(LLL_Result r) {
            begun = System.nanoTime();
            r.r2 = ledger.close(Patience.nanos(), TestCloser.destroying());
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LLL_Result r) {
            r.r3 = Patience.late(begun, acked, closed) ? "stuck" : "in time";
        }
    }
}
