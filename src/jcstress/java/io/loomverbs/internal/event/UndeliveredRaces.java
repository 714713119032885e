package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** Events that no thread has received yet: their CQ is closed, or a descriptor shows them. */
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
    @Outcome(id = "event, (REFUSED|TIMED_OUT), in time", expect = ACCEPTABLE, desc = "received")
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

    /** A queue with a descriptor. */
    abstract static class Watched extends Queued {
        final RecordedFd fd = new RecordedFd();

        Watched() {
            queue.watch(fd);
        }
    }

    /**
     * An event comes up while a thread looks for one. Another may be there. What is left is shown.
     */
    @JCStressTest
    @Outcome(id = "event, silent, 0 left", expect = ACCEPTABLE, desc = "taken")
    @Outcome(id = "none, readable, 1 left", expect = ACCEPTABLE, desc = "shown")
    @Outcome(id = "event of two, readable, 1 left", expect = ACCEPTABLE, desc = "one is shown")
    @Outcome(id = ".*, silent, 1 left", expect = FORBIDDEN, desc = "an event is not shown")
    @Outcome(id = "event, readable, .*", expect = FORBIDDEN, desc = "nothing is left to show")
    @Catches(value = "an event is not shown by the descriptor", as = ".*, silent, 1 left")
    @Catches(value = "a descriptor is lowered though events are left", as = ".*, silent, 1 left")
    @Catches(value = "a descriptor stays readable", as = "event, readable, .*")
    @State
    public static class ShowTake extends Watched {
        private final QueuedCq other = new QueuedCq(queue);
        private final boolean two = ThreadLocalRandom.current().nextBoolean();

        public ShowTake() {
            if (two) {
                cq.raise();
            }
        }

        @Actor
        public void raise() {
            other.raise();
        }

        @Actor
        public void take(LLL_Result r) {
            r.r1 = tryReceive() + (two ? " of two" : "");
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = fd.text();
            r.r3 = left();
        }
    }

    /** A queue is given a descriptor while an event comes up, which may be in the inbox. */
    @JCStressTest
    @Outcome(id = "readable, 1 left", expect = ACCEPTABLE, desc = "the event is shown")
    @Outcome(id = "silent, .*", expect = FORBIDDEN, desc = "the event is not shown")
    @Catches(value = "a new descriptor does not show what is in the inbox", as = "silent, .*")
    @Catches(value = "a queue with a descriptor keeps an event in the inbox", as = "silent, .*")
    @State
    public static class WatchRaise extends Queued {
        private final RecordedFd fd = new RecordedFd();

        @Actor
        public void watch() {
            queue.watch(fd);
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = fd.text();
            r.r2 = left();
        }
    }

    /** A descriptor is closed while an event comes up. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "nothing uses it any more")
    @Outcome(id = "late", expect = FORBIDDEN, desc = "raised when its number may be another's")
    @Catches(value = "a descriptor is closed without the lock", as = "late")
    @State
    public static class UnwatchRaise extends Watched {
        @Actor
        public void close() {
            queue.unwatch();
        }

        @Actor
        public void raise() {
            cq.raise();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = fd.text();
        }
    }
}
