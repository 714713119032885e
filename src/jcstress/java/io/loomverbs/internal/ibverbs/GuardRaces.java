package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.event.ExclusiveCallGate;
import io.loomverbs.internal.ibverbs.FaultyGuard.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/** Calls that use a native object against those who destroy it. */
public class GuardRaces {

    /** Stands for native memory: freed is what must not be seen from inside. */
    abstract static class Native {
        private boolean freed;

        String use() {
            for (int i = 0; i < 10; i++) {
                if (freed) {
                    return "freed memory";
                }
                Thread.onSpinWait();
            }
            return "used";
        }

        void free() {
            freed = true;
        }
    }

    /** A call is inside while the object is destroyed. */
    @JCStressTest
    @Outcome(id = "used", expect = ACCEPTABLE, desc = "the destroyer waited, or came later")
    @Outcome(id = "refused", expect = ACCEPTABLE, desc = "destroyed before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "destroyed while it was used")
    @State
    public static class UseDestroy extends Native {
        private final CallGate guard = new CallGate();

        @Actor
        public void call(L_Result r) {
            if (guard.enter()) {
                r.r1 = use();
                guard.leave();
            } else {
                r.r1 = "refused";
            }
        }

        @Actor
        public void destroy() {
            if (guard.destroy()) {
                free();
            }
        }
    }

    /** A call looks whether the object is destroyed, then counts itself. */
    @JCStressTest
    @JCStressMeta(UseDestroy.class)
    @State
    public static class UseDestroyBrokenTwin extends Native {
        private final FaultyGuard guard = new FaultyGuard(Fault.USE_CHECKS_FIRST);

        @Actor
        public void call(L_Result r) {
            if (guard.enter()) {
                r.r1 = use();
                guard.leave();
            } else {
                r.r1 = "refused";
            }
        }

        @Actor
        public void destroy() {
            if (guard.destroy()) {
                free();
            }
        }
    }

    /** The same with a CQ, which one call at a time uses. */
    @JCStressTest
    @Outcome(id = "used", expect = ACCEPTABLE, desc = "the destroyer waited, or came later")
    @Outcome(id = "refused", expect = ACCEPTABLE, desc = "destroyed before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "destroyed while it was used")
    @State
    public static class PollDestroy extends Native {
        private final ExclusiveCallGate guard = new ExclusiveCallGate();

        @Actor
        public void call(L_Result r) {
            if (guard.enter()) {
                r.r1 = use();
                guard.leave();
            } else {
                r.r1 = "refused";
            }
        }

        @Actor
        public void destroy() {
            if (guard.destroy()) {
                free();
            }
        }
    }

    /** A destroyer does not wait for the calls that are inside. */
    @JCStressTest
    @JCStressMeta(PollDestroy.class)
    @State
    public static class PollDestroyBrokenTwin extends Native {
        private final FaultyGuard guard = new FaultyGuard(Fault.DESTROY_DOES_NOT_WAIT);

        @Actor
        public void call(L_Result r) {
            if (guard.enter()) {
                r.r1 = use();
                guard.leave();
            } else {
                r.r1 = "refused";
            }
        }

        @Actor
        public void destroy() {
            if (guard.destroy()) {
                free();
            }
        }
    }

    /** Two threads destroy one object. */
    @JCStressTest
    @Outcome(id = "destroyed, not", expect = ACCEPTABLE, desc = "the first actor did")
    @Outcome(id = "not, destroyed", expect = ACCEPTABLE, desc = "the second actor did")
    @Outcome(id = "destroyed, destroyed", expect = FORBIDDEN, desc = "freed twice")
    @Outcome(id = "not, not", expect = FORBIDDEN, desc = "leaked")
    @State
    public static class TwoDestroyers {
        private final CallGate guard = new CallGate();

        @Actor
        public void first(LL_Result r) {
            r.r1 = guard.destroy() ? "destroyed" : "not";
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = guard.destroy() ? "destroyed" : "not";
        }
    }

    /** Two destroyers each look whether it is destroyed, then mark it. */
    @JCStressTest
    @JCStressMeta(TwoDestroyers.class)
    @State
    public static class TwoDestroyersBrokenTwin {
        private final FaultyGuard guard = new FaultyGuard(Fault.DESTROY_CHECKS_FIRST);

        @Actor
        public void first(LL_Result r) {
            r.r1 = guard.destroy() ? "destroyed" : "not";
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = guard.destroy() ? "destroyed" : "not";
        }
    }

    /** Calls while a destroy is tried that libibverbs refuses: afterwards all is as before. */
    @JCStressTest
    @Outcome(id = "whole", expect = ACCEPTABLE, desc = "it can be used, and destroyed once")
    @Outcome(id = "broken", expect = FORBIDDEN, desc = "it refuses calls, or its count is wrong")
    @State
    public static class UseRefusedDestroy {
        private final CallGate guard = new CallGate();

        @Actor
        public void call() {
            if (guard.enter()) {
                guard.leave();
            }
        }

        @Actor
        public void refused() {
            if (guard.destroy()) {
                guard.revive();
            }
        }

        @Arbiter
        public void after(L_Result r) {
            boolean usable = guard.enter();
            if (usable) {
                guard.leave();
            }
            r.r1 = usable && guard.destroy() && !guard.enter() ? "whole" : "broken";
        }
    }

    /** A destroy that is taken back forgets the calls that were on their way out. */
    @JCStressTest
    @JCStressMeta(UseRefusedDestroy.class)
    @State
    public static class UseRefusedDestroyBrokenTwin {
        private final FaultyGuard guard = new FaultyGuard(Fault.REVIVE_FORGETS_CALLS);

        @Actor
        public void call() {
            if (guard.enter()) {
                guard.leave();
            }
        }

        @Actor
        public void refused() {
            if (guard.destroy()) {
                guard.revive();
            }
        }

        @Arbiter
        public void after(L_Result r) {
            boolean usable = guard.enter();
            if (usable) {
                guard.leave();
            }
            r.r1 = usable ? "whole" : "broken";
        }
    }

    /** Two threads poll one CQ: what the one does there, the other sees. */
    @JCStressTest
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "the second actor was first")
    @Outcome(expect = FORBIDDEN, desc = "both were inside")
    @State
    public static class TwoPolls {
        private final ExclusiveCallGate guard = new ExclusiveCallGate();
        private int consumed;

        @Actor
        public void first(II_Result r) {
            guard.enter();
            r.r1 = ++consumed;
            guard.leave();
        }

        @Actor
        public void second(II_Result r) {
            guard.enter();
            r.r2 = ++consumed;
            guard.leave();
        }
    }

    /** A call looks whether it is somebody else's turn, then takes it. */
    @JCStressTest
    @JCStressMeta(TwoPolls.class)
    @State
    public static class TwoPollsBrokenTwin {
        private final FaultyGuard guard = new FaultyGuard(Fault.TURN_CHECKS_FIRST);
        private int consumed;

        @Actor
        public void first(II_Result r) {
            guard.enter();
            r.r1 = ++consumed;
            guard.leave();
        }

        @Actor
        public void second(II_Result r) {
            guard.enter();
            r.r2 = ++consumed;
            guard.leave();
        }
    }
}
