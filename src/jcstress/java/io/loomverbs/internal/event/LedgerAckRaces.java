package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.FaultyLedger.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/** Acknowledgements from two threads: none is lost, none too many, and the last one wakes. */
public class LedgerAckRaces {

    static String ack(int answer) {
        return answer == Ledger.ACKED ? "acked" : "refused";
    }

    /** Two threads acknowledge one event. */
    @JCStressTest
    @Outcome(id = "acked, refused, 0 left", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(
            id = "refused, acked, 0 left",
            expect = ACCEPTABLE,
            desc = "the second actor was first")
    @Outcome(id = "acked, acked, .*", expect = FORBIDDEN, desc = "one event was acknowledged twice")
    @Outcome(
            id = "refused, refused, .*",
            expect = FORBIDDEN,
            desc = "nobody could acknowledge an event that was delivered")
    @State
    public static class OverAck {
        private final Ledger ledger = new Ledger();

        public OverAck() {
            ledger.tryDeliver();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(1));
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(1));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** The acknowledgement checks the count, then subtracts. */
    @JCStressTest
    @JCStressMeta(OverAck.class)
    @State
    public static class OverAckBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.ACK_CHECKS_FIRST);

        public OverAckBrokenTwin() {
            ledger.tryDeliver();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(1));
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(1));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** One thread acknowledges two of three events, another the same. */
    @JCStressTest
    @Outcome(id = "acked, refused, 1 left", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(
            id = "refused, acked, 1 left",
            expect = ACCEPTABLE,
            desc = "the second actor was first")
    @Outcome(
            id = "acked, acked, .*",
            expect = FORBIDDEN,
            desc = "more was acknowledged than was delivered")
    @Outcome(
            id = "refused, refused, .*",
            expect = FORBIDDEN,
            desc = "nobody could acknowledge what was delivered")
    @Outcome(id = ".*, 3 left", expect = FORBIDDEN, desc = "an acknowledgement was lost")
    @State
    public static class OverAckByCount {
        private final Ledger ledger = new Ledger();

        public OverAckByCount() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            ledger.tryDeliver();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(2));
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** The acknowledgement checks the count, then subtracts. */
    @JCStressTest
    @JCStressMeta(OverAckByCount.class)
    @State
    public static class OverAckByCountBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.ACK_CHECKS_FIRST);

        public OverAckByCountBrokenTwin() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            ledger.tryDeliver();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(2));
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** One thread acknowledges the only event, another two events, which there never were. */
    @JCStressTest
    @Outcome(id = "acked, refused, 0 left", expect = ACCEPTABLE, desc = "each got its due")
    @Outcome(
            id = "refused, .*",
            expect = FORBIDDEN,
            desc = "an event could not be acknowledged because of what was too much")
    @Outcome(
            id = ".*, acked, .*",
            expect = FORBIDDEN,
            desc = "more was acknowledged than was delivered")
    @Outcome(id = "acked, refused, .*", expect = FORBIDDEN, desc = "the count is wrong")
    @State
    public static class AckBesideTooMany {
        private final Ledger ledger = new Ledger();

        public AckBesideTooMany() {
            ledger.tryDeliver();
        }

        @Actor
        public void rightly(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(1));
        }

        @Actor
        public void wrongly(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** Who finds too little is refused, though another has claimed what it cannot have. */
    @JCStressTest
    @JCStressMeta(AckBesideTooMany.class)
    @State
    public static class AckBesideTooManyBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.REFUSED_BESIDE_A_CLAIM);

        public AckBesideTooManyBrokenTwin() {
            ledger.tryDeliver();
        }

        @Actor
        public void rightly(LLL_Result r) {
            r.r1 = ack(ledger.tryAck(1));
        }

        @Actor
        public void wrongly(LLL_Result r) {
            r.r2 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = ledger.outstanding() + " left";
        }
    }

    /** An event comes up while two are acknowledged, of which one was there. */
    @JCStressTest
    @Outcome(id = "acked, 0 left", expect = ACCEPTABLE, desc = "the event came in time")
    @Outcome(id = "refused, 2 left", expect = ACCEPTABLE, desc = "the event came later")
    @Outcome(id = "acked, .*", expect = FORBIDDEN, desc = "acknowledged, and not counted")
    @Outcome(id = "refused, .*", expect = FORBIDDEN, desc = "refused, and counted")
    @State
    public static class DeliverBesideTooMany {
        private final Ledger ledger = new Ledger();

        public DeliverBesideTooMany() {
            ledger.tryDeliver();
        }

        @Actor
        public void deliver() {
            ledger.tryDeliver();
        }

        @Actor
        public void acknowledge(LL_Result r) {
            r.r1 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = ledger.outstanding() + " left";
        }
    }

    /** The acknowledgement takes back what it has claimed, though it fits by now. */
    @JCStressTest
    @JCStressMeta(DeliverBesideTooMany.class)
    @State
    public static class DeliverBesideTooManyBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.TAKES_BACK_WHAT_FITS);

        public DeliverBesideTooManyBrokenTwin() {
            ledger.tryDeliver();
        }

        @Actor
        public void deliver() {
            ledger.tryDeliver();
        }

        @Actor
        public void acknowledge(LL_Result r) {
            r.r1 = ack(ledger.tryAck(2));
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = ledger.outstanding() + " left";
        }
    }

    /**
     * The last event is acknowledged beside one too many, while a virtual thread waits to close.
     */
    @JCStressTest
    @Outcome(id = "CLOSED, in time", expect = ACCEPTABLE, desc = "the last one woke the closer")
    @Outcome(
            id = "CLOSED, stuck",
            expect = FORBIDDEN,
            desc = "both left it to the other to wake the closer")
    @Outcome(id = "TIMED_OUT, .*", expect = FORBIDDEN, desc = "an acknowledgement was lost")
    @State
    public static class TooManyClose {
        private final Ledger ledger = new Ledger();
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public TooManyClose() {
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.ENDLESS_NANOS, TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAck(2);
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** Who takes back what it has claimed wakes nobody. */
    @JCStressTest
    @JCStressMeta(TooManyClose.class)
    @State
    public static class TooManyCloseBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.TAKES_BACK_AND_WAKES_NOBODY);
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public TooManyCloseBrokenTwin() {
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.twinNanos(), TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAck(2);
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** Two threads acknowledge the last two events, while a virtual thread waits to close. */
    @JCStressTest
    @Outcome(id = "CLOSED, in time", expect = ACCEPTABLE, desc = "the last one woke the closer")
    @Outcome(
            id = "CLOSED, stuck",
            expect = FORBIDDEN,
            desc = "both left it to the other to wake the closer")
    @Outcome(id = "TIMED_OUT, .*", expect = FORBIDDEN, desc = "an acknowledgement was lost")
    @State
    public static class AckAckClose {
        private final Ledger ledger = new Ledger();
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public AckAckClose() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.ENDLESS_NANOS, TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAck(1);
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** Whether it is the last one is decided before the acknowledgement. */
    @JCStressTest
    @JCStressMeta(AckAckClose.class)
    @State
    public static class AckAckCloseBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.ACK_DECIDES_FIRST);
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public AckAckCloseBrokenTwin() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.twinNanos(), TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAck(1);
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** The acknowledgement wakes nobody. */
    @JCStressTest
    @JCStressMeta(AckAckClose.class)
    @State
    public static class AckAckCloseUnwokenBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.ACK_WAKES_NOBODY);
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public AckAckCloseUnwokenBrokenTwin() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.twinNanos(), TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAck(1);
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** A completion event and an asynchronous one are the last two. */
    @JCStressTest
    @Outcome(id = "CLOSED, in time", expect = ACCEPTABLE, desc = "the last one woke the closer")
    @Outcome(
            id = "CLOSED, stuck",
            expect = FORBIDDEN,
            desc = "both left it to the other to wake the closer")
    @Outcome(id = "TIMED_OUT, .*", expect = FORBIDDEN, desc = "an acknowledgement was lost")
    @State
    public static class AckAsyncAckClose {
        private final Ledger ledger = new Ledger();
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public AckAsyncAckClose() {
            ledger.tryDeliver();
            ledger.tryDeliverAsync();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.ENDLESS_NANOS, TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAckAsync();
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }

    /** The acknowledgement of the asynchronous event wakes nobody. */
    @JCStressTest
    @JCStressMeta(AckAsyncAckClose.class)
    @State
    public static class AckAsyncAckCloseBrokenTwin {
        private final FaultyLedger ledger = new FaultyLedger(Fault.ASYNC_ACK_WAKES_NOBODY);
        private final OnVirtualThread<CloseOutcome> closer;
        private long first;
        private long second;
        private long begun;
        private long closed;

        public AckAsyncAckCloseBrokenTwin() {
            ledger.tryDeliver();
            ledger.tryDeliverAsync();
            closer = OnVirtualThread.start(this::close);
        }

        private CloseOutcome close() {
            begun = System.nanoTime();
            CloseOutcome outcome = ledger.close(Patience.twinNanos(), TestCloser.destroying());
            closed = System.nanoTime();
            return outcome;
        }

        @Actor
        public void first() {
            ledger.tryAck(1);
            first = System.nanoTime();
        }

        @Actor
        public void second() {
            ledger.tryAckAsync();
            second = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = Patience.late(begun, Math.max(first, second), closed) ? "stuck" : "in time";
        }
    }
}
