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

/** The close of a CQ against its events that no thread has received yet. */
public class UndeliveredRaces {

    /** A CQ is closed while its event is taken. */
    @JCStressTest
    @Outcome(
            id = "event, TIMED_OUT",
            expect = ACCEPTABLE,
            desc = "received before the close, which does not wait")
    @Outcome(id = "none, CLOSED", expect = ACCEPTABLE, desc = "closed, and the event with it")
    @Outcome(
            id = "event, CLOSED",
            expect = FORBIDDEN,
            desc = "destroyed while the application holds an event")
    @Outcome(
            id = "none, TIMED_OUT",
            expect = FORBIDDEN,
            desc = "the close waited for an event that no thread received")
    @Catches(value = "an event is delivered whatever the ledger says", as = "event, CLOSED")
    @State
    public static class CloseTake {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);

        public CloseTake() {
            cq.raise();
        }

        @Actor
        public void take(LL_Result r) {
            r.r1 = Taking.of(queue::tryTake);
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = cq.close(0, TestCloser.destroying());
        }
    }

    /** A CQ is closed whose event stands before that of another one. */
    @JCStressTest
    @Outcome(
            id = "event, TIMED_OUT, 1 left",
            expect = ACCEPTABLE,
            desc = "received the event of the CQ before its close")
    @Outcome(
            id = "event, CLOSED, 0 left",
            expect = ACCEPTABLE,
            desc = "received the event of the other CQ")
    @Outcome(
            id = "none, .*",
            expect = FORBIDDEN,
            desc = "a closing CQ hid the event of another one")
    @Outcome(
            id = "event, CLOSED, 1 left",
            expect = FORBIDDEN,
            desc = "destroyed while the application holds an event")
    @Catches(value = "the search for events ends at a closing CQ", as = "none, .*")
    @State
    public static class CloseTakeOther {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq closing = new QueuedCq(queue);
        private final QueuedCq other = new QueuedCq(queue);

        public CloseTakeOther() {
            closing.raise();
            other.raise();
        }

        @Actor
        public void take(LLL_Result r) {
            r.r1 = Taking.of(queue::tryTake);
        }

        @Actor
        public void close(LLL_Result r) {
            r.r2 = closing.close(0, TestCloser.destroying());
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = Taking.left(queue::tryTake);
        }
    }

    /** A CQ is closed while its event comes up, and no thread waits. */
    @JCStressTest
    @Outcome(id = "CLOSED, nothing", expect = ACCEPTABLE, desc = "the event went with the CQ")
    @Outcome(id = "CLOSED, listed", expect = FORBIDDEN, desc = "a destroyed CQ stays in the queue")
    @Outcome(id = "CLOSED, pending", expect = FORBIDDEN, desc = "a destroyed CQ keeps events")
    @Catches(value = "an event comes up for a CQ that was closed", as = "CLOSED, listed")
    @State
    public static class CloseRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);

        @Actor
        public void raise() {
            cq.raise();
        }

        @Actor
        public void close(LL_Result r) {
            r.r1 = cq.close(0, TestCloser.destroying());
        }

        @Arbiter
        public void left(LL_Result r) {
            r.r2 = cq.listed ? "listed" : cq.pending == 0 ? "nothing" : "pending";
        }
    }

    /** The device refuses a close while an event comes up for a waiting virtual thread. */
    @JCStressTest
    @Outcome(
            id = "event, REFUSED, in time",
            expect = ACCEPTABLE,
            desc = "delivered after the close")
    @Outcome(
            id = "event, TIMED_OUT, in time",
            expect = ACCEPTABLE,
            desc = "delivered before the close, which does not wait")
    @Outcome(
            id = "none, .*",
            expect = FORBIDDEN,
            desc = "the event that came up during the close was forgotten")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the event that came up during the close woke no thread")
    @Catches(value = "a close that failed lists events before the ledger is open", as = ".*, stuck")
    @State
    public static class RefusedCloseRaise {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private final OnVirtualThread<String> waiter;
        private long raised;
        private long closed;
        private long begun;
        private long taken;

        public RefusedCloseRaise() {
            waiter = OnVirtualThread.start(this::take);
        }

        private String take() {
            begun = System.nanoTime();
            String result = Taking.of(() -> queue.take(Patience.nanos()));
            taken = System.nanoTime();
            return result;
        }

        @Actor
        public void raise() {
            cq.raise();
            raised = System.nanoTime();
        }

        @Actor
        public void close(LLL_Result r) {
            r.r2 = cq.close(0, TestCloser.refusing());
            closed = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r3 = Patience.late(begun, Math.max(raised, closed), taken) ? "stuck" : "in time";
        }
    }

    /** The device refuses a close while a virtual thread comes to take an event. */
    @JCStressTest
    @Outcome(
            id = "event, REFUSED, in time",
            expect = ACCEPTABLE,
            desc = "found before or after the close")
    @Outcome(
            id = "event, TIMED_OUT, in time",
            expect = ACCEPTABLE,
            desc = "found before the close, which does not wait")
    @Outcome(
            id = "none, .*",
            expect = FORBIDDEN,
            desc = "the event was taken off the list and forgotten")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the event was taken off the list and woke no thread")
    @Catches(value = "a failed close does not list the CQ again", as = ".*, stuck")
    @State
    public static class RefusedCloseTake {
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq cq = new QueuedCq(queue);
        private long closed;
        private long begun;
        private long taken;

        public RefusedCloseTake() {
            cq.raise();
        }

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void close(LLL_Result r) {
            r.r2 = cq.close(0, TestCloser.refusing());
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LLL_Result r) {
            r.r3 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }
}
