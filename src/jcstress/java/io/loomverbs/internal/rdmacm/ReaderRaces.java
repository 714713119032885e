package io.loomverbs.internal.rdmacm;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

/** The thread that reads librdmacm's events against one that destroys an id. */
public class ReaderRaces {
    /** An event of the id; or a request, with a new id, for a listener, whose id it is. */
    @JCStressTest
    @Outcome(id = "told", expect = ACCEPTABLE, desc = "read before it was destroyed")
    @Outcome(id = "not told", expect = ACCEPTABLE, desc = "destroyed before it was told")
    @Outcome(id = "given", expect = ACCEPTABLE, desc = "the listener has it, which ends it")
    @Outcome(id = "gone", expect = ACCEPTABLE, desc = "destroyed: there was no listener any more")
    @Outcome(id = "told another", expect = FORBIDDEN, desc = "read from memory that was freed")
    @Outcome(id = "stuck", expect = FORBIDDEN, desc = "the destroyer waits without an end")
    @Outcome(id = "leaked", expect = FORBIDDEN, desc = "nothing destroys it")
    @Catches(value = "an event is copied after it is acknowledged", as = "told another")
    @Catches(value = "an event of librdmacm is not acknowledged", as = "stuck")
    @Catches(value = "a request that comes too late keeps its id", as = "leaked")
    @State
    public static class ReadDestroy extends ScriptedEvent {
        @Actor
        public void reader() {
            read();
        }

        @Actor
        public void destroyer() {
            destroyId();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = outcome();
        }
    }
}
