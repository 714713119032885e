package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** Events that look up their object against objects that come and go. */
public class NativeIdsRaces {

    /** A late event of an object that is gone, whose place another object gets. */
    @JCStressTest
    @Outcome(id = "old", expect = ACCEPTABLE, desc = "it was still there")
    @Outcome(id = "null", expect = ACCEPTABLE, desc = "it is gone")
    @Outcome(id = "new", expect = FORBIDDEN, desc = "the event is told to another object")
    @Catches(value = "numbers are used again", as = "new")
    @State
    public static class LateEvent {
        private final NativeIds<String> registry = new NativeIds<>();
        private final long id = registry.add("old");

        @Actor
        public void event(L_Result r) {
            r.r1 = registry.get(id);
        }

        @Actor
        public void replace() {
            registry.remove(id);
            registry.add("new");
        }
    }
}
