package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.ffi.UseCount;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.util.concurrent.atomic.AtomicInteger;

/** The owner of a set of descriptors against a thread that uses it. */
public class UseCountRaces {
    /** What is closed, how often, and whether it was in use then, or is used afterwards. */
    abstract static class Descriptors {
        private final AtomicInteger closes = new AtomicInteger();

        void close() {
            closes.incrementAndGet();
        }

        String use() {
            return closes.get() == 0 ? "used" : "used when closed";
        }

        void judge(LL_Result r) {
            r.r2 = closes.get();
        }
    }

    /** The owner leaves while a call begins. */
    @JCStressTest
    @Outcome(id = "used, 1", expect = ACCEPTABLE, desc = "the call was first, and the last to go")
    @Outcome(id = "refused, 1", expect = ACCEPTABLE, desc = "the call came too late")
    @Outcome(id = "used when closed, .*", expect = FORBIDDEN, desc = "of a file that is another's")
    @Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "no thread closes")
    @Outcome(id = ".*, 2", expect = FORBIDDEN, desc = "closed twice: the second is another's")
    @Catches(
            value = "a user looks whether it is closed, then counts itself",
            as = "used when closed, .*")
    @State
    public static class EnterLeave extends Descriptors {
        private final UseCount count = new UseCount();

        @Actor
        public void owner() {
            if (count.leave()) {
                close();
            }
        }

        @Actor
        public void user(LL_Result r) {
            if (!count.enter()) {
                r.r1 = "refused";
                return;
            }
            r.r1 = use();
            if (count.leave()) {
                close();
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            judge(r);
        }
    }
}
