package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** Completion events and asynchronous ones: received once, in time, and never of what is closed. */
public class QueueRaces {
    /** A queue of either kind, and what has an event there. */
    abstract static class Either extends Queued {
        final AsyncQueue asyncQueue = new AsyncQueue();
        private final boolean async;
        final Ledger ledger;

        Either(boolean async) {
            this.async = async;
            ledger = async ? new Ledger() : cq;
        }

        Either() {
            this(ThreadLocalRandom.current().nextBoolean());
        }

        final void raise() {
            if (async) {
                asyncQueue.raise(new AsyncQueue.Raised(1, 0, ledger, ledger));
            } else {
                cq.raise();
            }
        }

        final void end() {
            asyncQueue.end();
            queue.end(null);
        }

        @Override
        final Object take(long nanos) throws InterruptedException {
            return async ? asyncQueue.take(nanos) : queue.take(nanos);
        }
    }

    /** A virtual thread comes to take an event, which another one raises, or the queue ends. */
    @JCStressTest
    @Outcome(id = "event, raised, 0 left", expect = ACCEPTABLE, desc = "received")
    @Outcome(id = "ended, ended, 0 left", expect = ACCEPTABLE, desc = "the waiter heard of the end")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a thread that joins leaves events where they are", as = ".*late, .*")
    @Catches(value = "a thread that raises does not look for a waiter", as = ".*late, .*")
    @Catches(value = "a waiter says that it waits, and does not look again", as = ".*late, .*")
    @Catches(value = "a waiter is woken before it is given its event", as = ".*late, .*")
    @Catches(value = "a waiter looks for the end before it has the lock", as = ".*late, .*")
    @Catches(value = "an asynchronous wait begins after a look without the lock", as = ".*late, .*")
    @Catches(value = "an asynchronous wait looks for the end without the lock", as = ".*late, .*")
    @State
    public static class RaiseTake extends Either {
        private final boolean ends = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void take(LLL_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void raiseOrEnd(LLL_Result r) {
            wakesAsVirtual(ends ? this::end : this::raise);
            r.r2 = ends ? "ended" : "raised";
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = left();
        }
    }

    /** Two threads take one event without waiting. */
    @JCStressTest
    @Outcome(id = "(event, none|none, event), 0 left", expect = ACCEPTABLE, desc = "one took it")
    @Outcome(id = "event, event, .*", expect = FORBIDDEN, desc = "the event was received twice")
    @Catches(value = "an event is taken without the lock", as = "event, event, .*")
    @Catches(value = "an asynchronous event is taken without the lock", as = "event, event, .*")
    @State
    public static class TwoTakers extends Either {
        public TwoTakers() {
            raise();
        }

        @Actor
        public void first(LLL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void second(LLL_Result r) {
            r.r2 = tryReceive();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = left();
        }
    }

    /** The device refuses a close while a virtual thread comes to take an event. */
    @JCStressTest
    @Outcome(id = "event, (REFUSED|TIMED_OUT)", expect = ACCEPTABLE, desc = "after it, or before")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "taken off the list, and woke no thread")
    @Catches(value = "a failed close does not list the CQ again", as = ".*late, .*")
    @Catches(value = "asynchronous events are forgotten by a failed close", as = ".*late, .*")
    @State
    public static class RefusedCloseTake extends Either {
        public RefusedCloseTake() {
            raise();
        }

        @Actor
        public void take(LL_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void close(LL_Result r) {
            wakes(
                    () -> {
                        r.r2 = ledger.close(0, TestCloser.refusing());
                        asyncQueue.recheck();
                    });
        }
    }

    /** An object is closed while its asynchronous event is taken. */
    @JCStressTest
    @Outcome(id = "event, TIMED_OUT, none", expect = ACCEPTABLE, desc = "received before the close")
    @Outcome(id = "none, CLOSED, none", expect = ACCEPTABLE, desc = "dropped with its owner")
    @Outcome(id = "event, CLOSED, .*", expect = FORBIDDEN, desc = "an event of what is closed")
    @Catches(value = "an asynchronous event comes up for what is closed", as = "event, CLOSED, .*")
    @State
    public static class CloseTake extends Either {
        public CloseTake() {
            super(true);
            raise();
        }

        @Actor
        public void take(LLL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void close(LLL_Result r) {
            CloseOutcome outcome = ledger.close(0, TestCloser.destroying());
            if (outcome == CloseOutcome.CLOSED) {
                asyncQueue.drop(ledger);
            }
            r.r2 = outcome;
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = tryReceive();
        }
    }
}
