package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/** The descriptor of a queue: readable if and only if the queue has an event. */
public class DescriptorRaces {
    /** A queue with a descriptor. */
    abstract static class Watched extends Queued {
        final RecordedFd fd = new RecordedFd();

        Watched() {
            queue.watch(fd);
        }
    }

    /** An event comes up while a thread looks for one; another may be there already. */
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
    public static class RaiseTake extends Watched {
        private final QueuedCq other = new QueuedCq(queue);
        private final boolean two = ThreadLocalRandom.current().nextBoolean();

        public RaiseTake() {
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
    @Outcome(id = "readable|silent", expect = FORBIDDEN, desc = "it was not closed")
    @Catches(value = "a descriptor is closed without the lock", as = "late")
    @State
    public static class CloseRaise extends Watched {
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
