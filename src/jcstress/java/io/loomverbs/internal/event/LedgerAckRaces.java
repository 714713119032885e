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
            desc = "no thread could acknowledge an event that was delivered")
    @Catches(value = "claims overwrite one another", as = "acked, acked, .*")
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
            desc = "no thread could acknowledge what was delivered")
    @Outcome(id = ".*, 3 left", expect = FORBIDDEN, desc = "an acknowledgement was lost")
    @Catches(value = "claims overwrite one another", as = "acked, acked, .*")
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
    @Catches(
            value = "a refusal does not wait for claims that are taken back",
            as = "acked, refused, .*")
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

    /** An event comes up while two are acknowledged, of which one was there. */
    @JCStressTest
    @Outcome(id = "acked, 0 left", expect = ACCEPTABLE, desc = "the event came in time")
    @Outcome(id = "refused, 2 left", expect = ACCEPTABLE, desc = "the event came later")
    @Outcome(id = "acked, .*", expect = FORBIDDEN, desc = "acknowledged, and not counted")
    @Outcome(id = "refused, .*", expect = FORBIDDEN, desc = "refused, and counted")
    @Catches(value = "a claim that fits by now is taken back", as = "acked, .*")
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
    @Catches(value = "a claim that is taken back wakes no closer", as = "CLOSED, stuck")
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
            CloseOutcome outcome = ledger.close(Patience.nanos(), TestCloser.destroying());
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
    @Catches(value = "the last acknowledgement wakes no closer", as = "CLOSED, stuck")
    @Catches(
            value = "whether it is the last is decided before the acknowledgement",
            as = "CLOSED, stuck")
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
            CloseOutcome outcome = ledger.close(Patience.nanos(), TestCloser.destroying());
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
    @Catches(value = "an asynchronous acknowledgement wakes no closer", as = "CLOSED, stuck")
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
            CloseOutcome outcome = ledger.close(Patience.nanos(), TestCloser.destroying());
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
