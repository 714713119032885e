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

/** Asynchronous events: received once, in time, and never of what is closed. */
public class AsyncQueueRaces {
    /** What one object has raised. */
    private static AsyncQueue.Raised raised(Ledger ledger) {
        return new AsyncQueue.Raised(1, 0, ledger, ledger);
    }

    /** For a thread that has just been started, at no exact time: the close is seen by many. */
    private static Closer slowlyRefusing() {
        return new TestCloser(true) {
            @Override
            public boolean destroy() {
                Taking.pauseUpTo(5_000);
                return super.destroy();
            }
        };
    }

    /** A virtual thread takes the asynchronous event that another thread raises. */
    @JCStressTest
    @Outcome(id = "event, in time", expect = ACCEPTABLE, desc = "received")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the event passed the waiter by")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(
            value = "looking for an asynchronous event and waiting are two steps",
            as = ".*, stuck")
    @State
    public static class RaiseTake {
        private final AsyncQueue queue = new AsyncQueue();
        private final Ledger ledger = new Ledger();
        private long raised;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(() -> queue.raise(raised(ledger))); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, raised, taken) ? "stuck" : "in time";
        }
    }

    /** Two threads take one asynchronous event. */
    @JCStressTest
    @Outcome(id = "event, none", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(id = "none, event", expect = ACCEPTABLE, desc = "the second actor was first")
    @Outcome(id = "event, event", expect = FORBIDDEN, desc = "one event was received twice")
    @Outcome(id = "none, none", expect = FORBIDDEN, desc = "no thread got the event")
    @Catches(value = "an asynchronous event is taken without the lock", as = "event, event")
    @State
    public static class TwoTakers {
        private final AsyncQueue queue = new AsyncQueue();

        public TwoTakers() {
            queue.raise(raised(new Ledger()));
        }

        @Actor
        public void first(LL_Result r) {
            r.r1 = Taking.of(() -> queue.take(0));
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = Taking.of(() -> queue.take(0));
        }
    }

    /** An object is closed while its asynchronous event is taken. */
    @JCStressTest
    @Outcome(
            id = "event, TIMED_OUT, none",
            expect = ACCEPTABLE,
            desc = "received before the close, which does not wait")
    @Outcome(
            id = "none, CLOSED, none",
            expect = ACCEPTABLE,
            desc = "closed before: dropped with its owner")
    @Outcome(id = "event, CLOSED, .*", expect = FORBIDDEN, desc = "an event of what is closed")
    @Outcome(
            id = "none, TIMED_OUT, .*",
            expect = FORBIDDEN,
            desc = "the close waits for an event that no thread has")
    @Outcome(
            id = ".*, .*, event",
            expect = FORBIDDEN,
            desc = "the event was received twice, or not dropped")
    @Catches(
            value = "an asynchronous event is delivered whatever the ledger says",
            as = "event, CLOSED, .*")
    @State
    public static class CloseTake {
        private final AsyncQueue queue = new AsyncQueue();
        private final Ledger ledger = new Ledger();

        public CloseTake() {
            queue.raise(raised(ledger));
        }

        @Actor
        public void take(LLL_Result r) {
            r.r1 = Taking.of(() -> queue.take(0));
        }

        @Actor
        public void close(LLL_Result r) {
            CloseOutcome outcome = ledger.close(0, TestCloser.destroying());
            if (outcome == CloseOutcome.CLOSED) {
                queue.drop(ledger);
            }
            r.r2 = outcome;
        }

        @Arbiter
        public void left(LLL_Result r) {
            r.r3 = Taking.of(() -> queue.take(0));
        }
    }

    /** The device refuses a close while a virtual thread comes to take the asynchronous event. */
    @JCStressTest
    @Outcome(
            id = "event, REFUSED, in time",
            expect = ACCEPTABLE,
            desc = "received before or after the close")
    @Outcome(
            id = "event, TIMED_OUT, in time",
            expect = ACCEPTABLE,
            desc = "received before the close, which does not wait")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the event was forgotten")
    @Outcome(
            id = ".*, stuck",
            expect = FORBIDDEN,
            desc = "the event woke no thread when it could be received")
    @Catches(value = "asynchronous events are forgotten by a failed close", as = ".*, stuck")
    @State
    public static class RefusedCloseTake {
        private final AsyncQueue queue = new AsyncQueue();
        private final Ledger ledger = new Ledger();
        private long closed;
        private long begun;
        private long taken;

        public RefusedCloseTake() {
            queue.raise(raised(ledger));
        }

        @Actor
        public void take(LLL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void close(LLL_Result r) {
            r.r2 = ledger.close(0, slowlyRefusing());
            queue.recheck();
            closed = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LLL_Result r) {
            r.r3 = Patience.late(begun, closed, taken) ? "stuck" : "in time";
        }
    }

    /** The context is closed while a virtual thread comes to wait for an asynchronous event. */
    @JCStressTest
    @Outcome(id = "ended, in time", expect = ACCEPTABLE, desc = "the waiter heard of the end")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the waiter did not hear of the end")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(
            value = "an asynchronous waiter looks for the end before it has the lock",
            as = ".*, stuck")
    @State
    public static class EndTake {
        private final AsyncQueue queue = new AsyncQueue();
        private long ended;
        private long begun;
        private long taken;

        @Actor
        public void take(LL_Result r) {
            begun = System.nanoTime();
            r.r1 = OnVirtualThread.call(() -> Taking.of(() -> queue.take(Patience.nanos())));
            taken = System.nanoTime();
        }

        @Actor
        public void end() {
            OnVirtualThread.run(() -> queue.end()); // as late as the other one
            ended = System.nanoTime();
        }

        @Arbiter
        public void wakeUp(LL_Result r) {
            r.r2 = Patience.late(begun, ended, taken) ? "stuck" : "in time";
        }
    }
}
