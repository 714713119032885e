package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** Asynchronous events: received once, in time, and never of what is closed. */
public class AsyncQueueRaces {
    /** A queue, and an object whose event it may have. */
    abstract static class Queue extends TimedWait {
        final AsyncQueue queue = new AsyncQueue();
        final Ledger ledger = new Ledger();

        final void raise() {
            queue.raise(new AsyncQueue.Raised(1, 0, ledger, ledger));
        }

        final String receive() {
            return Taking.of(() -> queue.take(Patience.nanos()));
        }

        final String tryReceive() {
            return Taking.of(() -> queue.take(0));
        }
    }

    /** A queue that has one event. */
    abstract static class WithEvent extends Queue {
        WithEvent() {
            raise();
        }
    }

    /** A virtual thread comes to take an asynchronous event, which is raised, or the queue ends. */
    @JCStressTest
    @Outcome(id = "event, raised|ended, ended", expect = ACCEPTABLE, desc = "the waiter was told")
    @Outcome(id = "none.*", expect = FORBIDDEN, desc = "it passed the waiter by")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "an asynchronous wait begins after a look without the lock", as = ".*late, .*")
    @Catches(value = "an asynchronous wait looks for the end without the lock", as = ".*late, .*")
    @State
    public static class RaiseTake extends Queue {
        private final boolean ends = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void take(LL_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void raiseOrEnd(LL_Result r) {
            wakesAsVirtual(ends ? queue::end : this::raise);
            r.r2 = ends ? "ended" : "raised";
        }
    }

    /** Two threads take one asynchronous event. */
    @JCStressTest
    @Outcome(id = "event, none|none, event", expect = ACCEPTABLE, desc = "either was first")
    @Outcome(id = "event, event", expect = FORBIDDEN, desc = "one event was received twice")
    @Outcome(id = "none, none", expect = FORBIDDEN, desc = "no thread got the event")
    @Catches(value = "an asynchronous event is taken without the lock", as = "event, event")
    @State
    public static class TwoTakers extends WithEvent {
        @Actor
        public void first(LL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = tryReceive();
        }
    }

    /** An object is closed while its asynchronous event is taken. */
    @JCStressTest
    @Outcome(id = "event, TIMED_OUT, none", expect = ACCEPTABLE, desc = "received before the close")
    @Outcome(id = "none, CLOSED, none", expect = ACCEPTABLE, desc = "dropped with its owner")
    @Outcome(id = "event, CLOSED, .*", expect = FORBIDDEN, desc = "an event of what is closed")
    @Outcome(id = "none, TIMED_OUT, .*", expect = FORBIDDEN, desc = "waited for what no thread has")
    @Outcome(id = ".*, .*, event", expect = FORBIDDEN, desc = "received twice, or not dropped")
    @Catches(value = "an asynchronous event comes up for what is closed", as = "event, CLOSED, .*")
    @State
    public static class CloseTake extends WithEvent {
        @Actor
        public void take(LLL_Result r) {
            r.r1 = tryReceive();
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
        public void result(LLL_Result r) {
            r.r3 = tryReceive();
        }
    }

    /** The device refuses a close while a virtual thread comes to take the asynchronous event. */
    @JCStressTest
    @Outcome(id = "event, REFUSED", expect = ACCEPTABLE, desc = "before, or after it")
    @Outcome(id = "event, TIMED_OUT", expect = ACCEPTABLE, desc = "before the close")
    @Outcome(id = "none.*", expect = FORBIDDEN, desc = "the event was forgotten")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "no thread was woken after the close")
    @Catches(value = "asynchronous events are forgotten by a failed close", as = ".*late, .*")
    @State
    public static class RefusedCloseTake extends WithEvent {
        @Actor
        public void take(LL_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = ledger.close(0, TestCloser.refusing());
            wakes(queue::recheck);
        }
    }
}
