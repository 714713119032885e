package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

/** The close of a CQ against its events that no thread has received yet. */
public class UndeliveredRaces {

    /** A CQ is closed whose event stands before that of another one. */
    @JCStressTest
    @Outcome(id = "event, TIMED_OUT, 1 left", expect = ACCEPTABLE, desc = "received before")
    @Outcome(id = "event, CLOSED, 0 left", expect = ACCEPTABLE, desc = "received the other's event")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "a closing CQ hid the event of another")
    @Outcome(id = "event, CLOSED, 1 left", expect = FORBIDDEN, desc = "destroyed with one held")
    @Catches(value = "the search for events ends at a closing CQ", as = "none, .*")
    @Catches(value = "an event is delivered whatever the ledger says", as = "event, CLOSED, 1 left")
    @State
    public static class CloseTakeOther extends Queued.WithEvent {
        private final QueuedCq other = new QueuedCq(queue);

        public CloseTakeOther() {
            other.raise();
        }

        @Actor
        public void take(LLL_Result r) {
            r.r1 = tryReceive();
        }

        @Actor
        public void close(LLL_Result r) {
            r.r2 = cq.close(0, TestCloser.destroying());
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = left();
        }
    }

    /** A CQ is closed while its event comes up, and no thread waits. */
    @JCStressTest
    @Outcome(id = "CLOSED, nothing", expect = ACCEPTABLE, desc = "the event went with the CQ")
    @Outcome(id = "CLOSED, listed", expect = FORBIDDEN, desc = "a destroyed CQ stays in the queue")
    @Outcome(id = "CLOSED, pending", expect = FORBIDDEN, desc = "a destroyed CQ keeps events")
    @Catches(value = "an event comes up for a CQ that was closed", as = "CLOSED, listed")
    @State
    public static class CloseRaise extends Queued {
        @Actor
        public void raise() {
            cq.raise();
        }

        @Actor
        public void close(LL_Result r) {
            r.r1 = cq.close(0, TestCloser.destroying());
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = cq.listed ? "listed" : cq.pending == 0 ? "nothing" : "pending";
        }
    }

    /** The device refuses a close while an event comes up for a waiting virtual thread. */
    @JCStressTest
    @Outcome(id = "event, REFUSED, in time", expect = ACCEPTABLE, desc = "after the close")
    @Outcome(id = "event, TIMED_OUT, in time", expect = ACCEPTABLE, desc = "before the close")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the event was forgotten by the close")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the event woke no thread")
    @Catches(value = "a close that failed lists events before the ledger is open", as = ".*, stuck")
    @State
    public static class RefusedCloseRaise extends Queued {
        private final OnVirtualThread<String> waiter =
                OnVirtualThread.start(() -> waits(this::receive));

        @Actor
        public void raise() {
            wakes(cq::raise);
        }

        @Actor
        public void close(LLL_Result r) {
            wakes(() -> r.r2 = cq.close(0, TestCloser.refusing()));
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r3 = inTime();
        }
    }

    /** The device refuses a close while a virtual thread comes to take an event. */
    @JCStressTest
    @Outcome(id = "event, REFUSED", expect = ACCEPTABLE, desc = "before, or after it")
    @Outcome(id = "event, TIMED_OUT", expect = ACCEPTABLE, desc = "before the close")
    @Outcome(id = "none.*", expect = FORBIDDEN, desc = "taken off the list and forgotten")
    @Outcome(id = ".*late, .*", expect = FORBIDDEN, desc = "taken off the list, and woke no thread")
    @Catches(value = "a failed close does not list the CQ again", as = ".*late, .*")
    @State
    public static class RefusedCloseTake extends Queued.WithEvent {
        @Actor
        public void take(LL_Result r) {
            r.r1 = waitsInTime(this::receive);
        }

        @Actor
        public void close(LL_Result r) {
            wakes(() -> r.r2 = cq.close(0, TestCloser.refusing()));
        }
    }
}
