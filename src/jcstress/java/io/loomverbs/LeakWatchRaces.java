package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.L_Result;

import java.lang.ref.ReferenceQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Tracked objects that are opened while the watch over them ends. */
public class LeakWatchRaces {
    /** An object is opened after all others were closed. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "a thread watches")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "an open object that no thread watches")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "two threads watch")
    @Catches(value = "the watch looks for open objects, then ends", as = "0")
    @State
    public static class WatchEnds {
        private static final ReferenceQueue<Object> DROPPED = new ReferenceQueue<>();
        private static final OpenTicket EARLIER = new OpenTicket("earlier", DROPPED);
        private static final OpenTicket NOW = new OpenTicket("now", DROPPED);

        private final AtomicInteger watching = new AtomicInteger();
        private final LeakWatch watch = new LeakWatch(_ -> watching.incrementAndGet());

        public WatchEnds() {
            watch.opened(EARLIER);
            watch.closed(EARLIER);
        }

        @Actor
        public void open() {
            watch.opened(NOW);
        }

        @Actor
        public void end() {
            if (watch.tryEnd()) {
                watching.decrementAndGet();
            }
        }

        @Arbiter
        public void watching(L_Result r) {
            r.r1 = watching.get();
        }
    }
}
