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

import java.util.StringJoiner;

/** Several events at once, or several threads for one. */
public class EventBatchRaces {

    /** Two CQs raise two events each for one thread that takes four. */
    @JCStressTest
    @Outcome(
            id = "event event event event, 2 and 2, 0 left",
            expect = ACCEPTABLE,
            desc = "each event once, counted in the ledger of its CQ")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "an event was lost")
    @Outcome(id = ".*, [1-9]+ left", expect = FORBIDDEN, desc = "an event came twice")
    @Outcome(
            id = ".*, .* and .*, .*",
            expect = FORBIDDEN,
            desc = "an event was counted in the wrong ledger")
    @Catches(value = "an event is handed over without the lock", as = ".*none.*")
    @State
    public static class FourEvents {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq one = new QueuedCq(queue);
        private final QueuedCq two = new QueuedCq(queue);
        private final Failures failures = new Failures();
        private final OnVirtualThread<String> taker;

        public FourEvents() {
            taker = OnVirtualThread.start(this::takeFour);
        }

        private String takeFour() {
            StringJoiner taken = new StringJoiner(" ");
            for (int i = 0; i < 4; i++) {
                taken.add(Taking.of(() -> queue.take(Patience.nanos())));
            }
            return taken.toString();
        }

        @Actor
        public void raiseOne() {
            failures.of(one::raise);
            failures.of(one::raise);
        }

        @Actor
        public void raiseTwo() {
            failures.of(two::raise);
            failures.of(two::raise);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = taker.join() + failures.text();
            r.r2 = one.outstanding() + " and " + two.outstanding();
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** Three events are acknowledged at once while another thread closes. */
    @JCStressTest
    @Outcome(
            id = "acked, CLOSED, in time",
            expect = ACCEPTABLE,
            desc = "all three at once: the close waited for them")
    @Outcome(
            id = "acked, TIMED_OUT, .*",
            expect = FORBIDDEN,
            desc = "the closer never learned that all are acknowledged")
    @Outcome(
            id = "not acked, .*",
            expect = FORBIDDEN,
            desc = "what was delivered could not be acknowledged")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the closer was not woken")
    @Catches(
            value = "whether it is the last is decided before the acknowledgement",
            as = ".*, stuck")
    @State
    public static class AckBatch {
        private final Ledger ledger = new Ledger();
        private long acked;
        private long begun;
        private long closed;

        public AckBatch() {
            ledger.tryDeliver();
            ledger.tryDeliver();
            ledger.tryDeliver();
        }

        @Actor
        public void ack(LLL_Result r) {
            r.r1 = ledger.tryAck(3) == Ledger.ACKED ? "acked" : "not acked";
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

    /** Of two waiting threads one is interrupted while one event comes up. */
    @JCStressTest
    @Outcome(
            id = "event, ended, pending, 0 left",
            expect = ACCEPTABLE,
            desc = "the event was first: it is returned, the interrupt stays")
    @Outcome(
            id = "interrupted, event, clear, 0 left",
            expect = ACCEPTABLE,
            desc = "the interrupt was first, or the other has waited longer")
    @Outcome(
            id = "event, ended, clear, .*",
            expect = FORBIDDEN,
            desc = "the interrupt was swallowed")
    @Outcome(
            id = "interrupted, ended, .*",
            expect = FORBIDDEN,
            desc = "the event was given to a thread that has left")
    @Outcome(id = "event, event, .*", expect = FORBIDDEN, desc = "one event was received twice")
    @Outcome(
            id = ".*, 1 left",
            expect = FORBIDDEN,
            desc = "the event was listed while a thread waited")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "a wait ended by itself")
    @Catches(value = "a waiter with an event in hand gives up", as = ".*none.*")
    @State
    public static class OneEventTwoWaiters {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq one = new QueuedCq(queue);
        private final OnVirtualThread<String> first;
        private final OnVirtualThread<String> second;
        private boolean status;

        public OneEventTwoWaiters() {
            first = OnVirtualThread.start(this::takeFirst);
            second = OnVirtualThread.start(this::takeSecond);
        }

        private String takeFirst(OnVirtualThread<String> self) {
            String taken = Taking.of(() -> queue.take(Patience.nanos()));
            status = self.awaitInterrupt();
            return taken;
        }

        private String takeSecond() {
            return Taking.of(() -> queue.take(Patience.nanos()));
        }

        @Actor
        public void raise() {
            Taking.pauseUpTo(30_000); // the other is just on its way, or gone
            one.raise();
        }

        @Actor
        public void interrupt() {
            first.interrupt();
        }

        @Arbiter
        public void result(LLLL_Result r) {
            r.r1 = first.join();
            if (r.r1.equals(Taking.EVENT)) {
                queue.end(null);
            }
            r.r2 = second.join();
            r.r3 = status ? "pending" : "clear";
            r.r4 = Taking.left(queue::tryTake);
        }
    }
}
