package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.event.DestroyGate;
import io.loomverbs.internal.event.ExclusiveCallGate;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.ffi.UseCount;
import io.loomverbs.jcstress.Catches;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Calls that use a native object against threads that destroy it. */
public class GuardRaces {
    private static final int REFUSAL = -16;
    private static final int GONE = -22;

    /** Long enough for a call to park. */
    private static int refuse() {
        Taking.pauseUpTo(40_000);
        return REFUSAL;
    }

    /** A call is inside while the object is destroyed; or a CQ, which one call at a time uses. */
    @JCStressTest
    @Outcome(id = "used|refused", expect = ACCEPTABLE, desc = "destroyed after that, or before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "destroyed while it was used")
    @Catches(value = "a call looks whether there is a destroyer, then enters", as = "freed memory")
    @Catches(value = "a destroyer does not wait for the call inside", as = "freed memory")
    @State
    public static class UseDestroy {
        private final CallGate shared = new CallGate();
        private final ExclusiveCallGate exclusive = new ExclusiveCallGate();
        private final boolean polls = ThreadLocalRandom.current().nextBoolean();

        /** Stands for the object's memory: this is what must not be seen from inside. */
        private boolean freed;

        @Actor
        public void call(L_Result r) {
            if (!(polls ? exclusive.enter() : shared.enter())) {
                r.r1 = "refused";
                return;
            }
            r.r1 = use();
            if (polls) {
                exclusive.leave();
            } else {
                shared.leave();
            }
        }

        private String use() {
            for (int i = 0; i < 10; i++) {
                if (freed) {
                    return "freed memory";
                }
                Thread.onSpinWait();
            }
            return "used";
        }

        @Actor
        public void destroy() {
            DestroyGate gate = polls ? exclusive : shared;
            gate.destroy(this::free, GONE);
        }

        private int free() {
            freed = true;
            return 0;
        }
    }

    /** Two threads destroy one object. */
    @JCStressTest
    @Outcome(id = "destroyed, not|not, destroyed", expect = ACCEPTABLE, desc = "either did")
    @Outcome(id = "destroyed, destroyed", expect = FORBIDDEN, desc = "freed twice")
    @Catches(value = "two threads destroy one object", as = "destroyed, destroyed")
    @State
    public static class TwoDestroyers {
        private final CallGate guard = new CallGate();

        @Actor
        public void first(LL_Result r) {
            r.r1 = guard.destroy(() -> 0, GONE) == 0 ? "destroyed" : "not";
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = guard.destroy(() -> 0, GONE) == 0 ? "destroyed" : "not";
        }
    }

    /** Calls while a destroy is tried that libibverbs refuses: afterwards all is as before. */
    @JCStressTest
    @Outcome(id = "whole", expect = ACCEPTABLE, desc = "it can be used, and destroyed once")
    @Outcome(id = "broken", expect = FORBIDDEN, desc = "it refuses calls, or its count is wrong")
    @Catches(value = "a refused destroy forgets calls", as = "broken")
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
            guard.destroy(() -> REFUSAL, GONE);
        }

        @Arbiter
        public void after(L_Result r) {
            boolean usable = guard.enter();
            if (usable) {
                guard.leave();
            }
            boolean destroyed = guard.destroy(() -> 0, GONE) == 0;
            r.r1 = usable && destroyed && !guard.enter() ? "whole" : "broken";
        }
    }

    /** Two threads poll one CQ: what the one does there, the other sees. */
    @JCStressTest
    @Outcome(id = "1, 2|2, 1", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "both were inside")
    @Catches(value = "a call looks whose turn it is, then takes it", as = ".*")
    @State
    public static class TwoPolls {
        private final ExclusiveCallGate guard = new ExclusiveCallGate();
        private int consumed;

        private int consume() {
            int now = consumed + 1;
            for (int i = 0; i < 50; i++) { // it takes a while
                Thread.onSpinWait();
            }
            consumed = now;
            return now;
        }

        @Actor
        public void first(II_Result r) {
            guard.enter();
            r.r1 = consume();
            guard.leave();
        }

        @Actor
        public void second(II_Result r) {
            guard.enter();
            r.r2 = consume();
            guard.leave();
        }
    }

    /** A thread that parks until another does something. */
    private static final class Sleeper {
        private volatile @Nullable Thread thread;
        private volatile long begun;
        private volatile long back;

        String sleep(BooleanSupplier wait) {
            begun = System.nanoTime();
            thread = Thread.currentThread();
            boolean done = wait.getAsBoolean();
            back = System.nanoTime();
            return done ? "done" : "refused";
        }

        /** Says whether it came back, once all is done that it waits for. */
        String outcome() {
            long woken = System.nanoTime();
            long now = woken;
            while (back == 0 && (begun == 0 || now - woken < Patience.nanos())) {
                if (begun != 0 && Patience.late(begun, woken, now)) {
                    LockSupport.unpark(thread);
                    return "stuck";
                }
                Thread.onSpinWait();
                now = System.nanoTime();
            }
            LockSupport.unpark(thread);
            return back == 0 ? "given up" : "in time";
        }
    }

    /** A call meets a destroy that libibverbs refuses: it waits for that, and goes on. */
    @JCStressTest
    @Outcome(id = "done, in time", expect = ACCEPTABLE, desc = "it was woken, or had not to wait")
    @Outcome(id = "refused, .*", expect = FORBIDDEN, desc = "the object is there, and not found")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the call was not woken")
    @Catches(value = "a call that meets a destroyer takes it for destroyed", as = "refused, .*")
    @Catches(value = "the end of a destroy wakes no thread", as = ".*, stuck")
    @State
    public static class CallRefusedDestroy {
        private final CallGate guard = new CallGate();
        private final Sleeper sleeper = new Sleeper();

        @Actor
        public void call(LL_Result r) {
            r.r1 = sleeper.sleep(guard::enter);
            if (r.r1.equals("done")) {
                guard.leave();
            }
        }

        @Actor
        public void destroy(LL_Result r) {
            guard.destroy(GuardRaces::refuse, GONE);
            r.r2 = sleeper.outcome();
        }
    }

    /** A destroyer parks until the call that is inside has left. */
    @JCStressTest
    @Outcome(id = "done, in time", expect = ACCEPTABLE, desc = "it was woken, or had not to wait")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the destroyer was not woken")
    @Catches(value = "the last call that leaves does not wake the destroyer", as = ".*, stuck")
    @State
    public static class LeaveDestroy {
        private final CallGate guard = new CallGate();
        private final Sleeper sleeper = new Sleeper();

        public LeaveDestroy() {
            guard.enter();
        }

        @Actor
        public void destroy(LL_Result r) {
            r.r1 = sleeper.sleep(() -> guard.destroy(() -> 0, GONE) == 0);
        }

        @Actor
        public void leave(LL_Result r) {
            guard.leave();
            r.r2 = sleeper.outcome();
        }
    }

    /** The owner of a set of descriptors leaves while a call begins. */
    @JCStressTest
    @Outcome(id = "used, 1", expect = ACCEPTABLE, desc = "the call was first, and the last to go")
    @Outcome(id = "refused, 1", expect = ACCEPTABLE, desc = "the call came too late")
    @Outcome(id = "closed, .*", expect = FORBIDDEN, desc = "used when it was another's file")
    @Catches(value = "a user looks whether it is closed, then counts itself", as = "closed, .*")
    @State
    public static class EnterLeave {
        private final UseCount count = new UseCount();
        private final AtomicInteger closes = new AtomicInteger();

        private void leave() {
            if (count.leave()) {
                closes.incrementAndGet();
            }
        }

        @Actor
        public void owner() {
            leave();
        }

        @Actor
        public void user(LL_Result r) {
            r.r1 = "refused";
            if (count.enter()) {
                r.r1 = closes.get() == 0 ? "used" : "closed";
                leave();
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = closes.get();
        }
    }

    /** An event is read while its CQ is destroyed: one of the two acknowledges it. */
    @JCStressTest
    @Outcome(id = "counted, 1", expect = ACCEPTABLE, desc = "the destroyer acknowledges it")
    @Outcome(id = "at once, 0", expect = ACCEPTABLE, desc = "the reader acknowledges it")
    @Outcome(id = "counted, 0", expect = FORBIDDEN, desc = "no thread does: the destroy hangs")
    @Catches(value = "a reader looks whether there is a destroyer, then counts", as = "counted, 0")
    @State
    public static class ReadDestroy {
        private final UnackedReads reads = new UnackedReads();

        @Actor
        public void reader(LL_Result r) {
            r.r1 = reads.add() ? "counted" : "at once";
        }

        @Actor
        public void destroyer(LL_Result r) {
            r.r2 = reads.close();
        }
    }
}
