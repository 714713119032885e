package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** Acknowledgements from two threads: none is lost, none too many, and the last one wakes. */
public class LedgerAckRaces {
    /** A ledger with so many events that were delivered. */
    static Ledger delivered(int events) {
        Ledger ledger = new Ledger();
        for (int i = 0; i < events; i++) {
            ledger.tryDeliver();
        }
        return ledger;
    }

    static String ack(Ledger ledger, int events) {
        return ledger.tryAck(events) == Ledger.ACKED ? "acked" : "refused";
    }

    static String left(Ledger ledger) {
        return ledger.outstanding() + " left";
    }

    /**
     * One thread acknowledges two of three events, another the same; or one acknowledges the only
     * event, another two events, which there never were.
     */
    @JCStressTest
    @Outcome(id = "acked, refused, 1 left of 3", expect = ACCEPTABLE, desc = "the first was first")
    @Outcome(id = "refused, acked, 1 left of 3", expect = ACCEPTABLE, desc = "the second was first")
    @Outcome(id = "acked, refused, 0 left of 1", expect = ACCEPTABLE, desc = "each got its due")
    @Outcome(id = "acked, .*", expect = FORBIDDEN, desc = "too many, or the count is wrong")
    @Catches(value = "claims overwrite one another", as = "acked, .*")
    @Catches(value = "a refusal does not wait for claims that are taken back", as = "acked, .*")
    @State
    public static class AckBesideTooMany {
        private final int all = ThreadLocalRandom.current().nextBoolean() ? 1 : 3;
        private final Ledger ledger = delivered(all);

        @Actor
        public void first(LLL_Result r) {
            r.r1 = ack(ledger, Math.min(all, 2));
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = ack(ledger, 2);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = left(ledger) + " of " + all;
        }
    }

    /** An event comes up while two are acknowledged, of which one was there. */
    @JCStressTest
    @Outcome(id = "acked, 0 left", expect = ACCEPTABLE, desc = "the event came in time")
    @Outcome(id = "refused, 2 left", expect = ACCEPTABLE, desc = "the event came later")
    @Outcome(id = "acked, .*", expect = FORBIDDEN, desc = "acknowledged, and not counted")
    @Catches(value = "a claim that fits by now is taken back", as = "acked, .*")
    @State
    public static class DeliverBesideTooMany {
        private final Ledger ledger = delivered(1);

        @Actor
        public void deliver() {
            ledger.tryDeliver();
        }

        @Actor
        public void acknowledge(LL_Result r) {
            r.r1 = ack(ledger, 2);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = left(ledger);
        }
    }

    /** What two threads acknowledge; both have no event left. */
    private enum Last {
        TWO_EVENTS,
        EVENT_AND_ASYNC_EVENT,
        EVENT_AND_TOO_MANY
    }

    /** A virtual thread waits to close while two acknowledge; the last one has to wake it. */
    @JCStressTest
    @Outcome(id = "CLOSED, in time", expect = ACCEPTABLE, desc = "the last one woke the closer")
    @Outcome(id = ".*stuck", expect = FORBIDDEN, desc = "each left that to the other")
    @Catches(value = "the last acknowledgement wakes no closer", as = ".*stuck")
    @Catches(value = "whether it is the last is decided before the acknowledgement", as = ".*stuck")
    @Catches(value = "an asynchronous acknowledgement wakes no closer", as = ".*stuck")
    @Catches(value = "a claim that is taken back wakes no closer", as = ".*stuck")
    @State
    public static class AckAckClose extends TimedWait {
        private static final Last[] ALL = Last.values();

        private final Last last = ALL[ThreadLocalRandom.current().nextInt(ALL.length)];
        private final Ledger ledger = delivered(last == Last.TWO_EVENTS ? 2 : 1);
        private final OnVirtualThread<CloseOutcome> closer;

        public AckAckClose() {
            if (last == Last.EVENT_AND_ASYNC_EVENT) {
                ledger.tryDeliverAsync();
            }
            closer = OnVirtualThread.start(() -> waits(() -> LedgerCloseRaces.close(ledger)));
        }

        @Actor
        public void first() {
            wakes(() -> ledger.tryAck(1));
        }

        @Actor
        public void second() {
            wakes(this::ackRest);
        }

        private void ackRest() {
            switch (last) {
                case TWO_EVENTS -> ledger.tryAck(1);
                case EVENT_AND_ASYNC_EVENT -> ledger.tryAckAsync();
                case EVENT_AND_TOO_MANY -> ledger.tryAck(2);
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = closer.join();
            r.r2 = inTime();
        }
    }
}
