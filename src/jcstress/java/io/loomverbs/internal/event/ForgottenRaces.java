package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A queue ends while a thread that waited in it enlists it: nothing that lasts keeps it. */
public class ForgottenRaces {
    private static String kept(Leadership leadership) {
        return leadership.hasFollowers() ? "kept" : "forgotten";
    }

    @JCStressTest
    @Outcome(id = "forgotten", expect = ACCEPTABLE, desc = "in either order")
    @Outcome(id = "kept", expect = FORBIDDEN, desc = "an ended queue stays in the list")
    @Catches(value = "a queue that has ended is enlisted", as = "kept")
    @State
    public static class EndEnlist {
        private final InMemorySource source = new InMemorySource();
        private final EventQueue queue = EventQueue.shared(source);

        @Actor
        public void end() {
            queue.end(null);
        }

        @Actor
        public void enlist() {
            source.leadership().enlist(queue);
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = kept(source.leadership());
        }
    }
}
