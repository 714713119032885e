package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.FaultyUsage.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/** New users of an object against its close. */
public class UsageRaces {

    static boolean acquire(Usage usage) {
        try {
            Usage.create("ibv_create_it", () -> "user", usage);
            return true;
        } catch (ClosedException e) {
            return false;
        }
    }

    static boolean acquire(FaultyUsage usage) {
        return usage.acquire();
    }

    /** Something is created from an object that is being closed. */
    @JCStressTest
    @Outcome(id = "created, in use", expect = ACCEPTABLE, desc = "created before the close")
    @Outcome(id = "refused, closed", expect = ACCEPTABLE, desc = "closed before the creation")
    @Outcome(id = "created, closed", expect = FORBIDDEN, desc = "a user of a closed object")
    @Outcome(id = "refused, in use", expect = FORBIDDEN, desc = "neither happened")
    @State
    public static class CreateClose {
        private final Usage usage = new Usage("it");

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "refused";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = usage.tryClose() ? "closed" : "in use";
        }
    }

    /** A new user looks whether it is closed, then counts itself. */
    @JCStressTest
    @JCStressMeta(CreateClose.class)
    @State
    public static class CreateCloseBrokenTwin {
        private final FaultyUsage usage = new FaultyUsage(Fault.ACQUIRE_CHECKS_FIRST);

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "refused";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = usage.tryClose() ? "closed" : "in use";
        }
    }

    /** Two threads close an object. */
    @JCStressTest
    @Outcome(id = "closed, not", expect = ACCEPTABLE, desc = "the first actor was first")
    @Outcome(id = "not, closed", expect = ACCEPTABLE, desc = "the second actor was first")
    @Outcome(id = "closed, closed", expect = FORBIDDEN, desc = "destroyed twice")
    @Outcome(id = "not, not", expect = FORBIDDEN, desc = "nobody closed it")
    @State
    public static class TwoCloses {
        private final Usage usage = new Usage("it");

        @Actor
        public void first(LL_Result r) {
            r.r1 = usage.tryClose() ? "closed" : "not";
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = usage.tryClose() ? "closed" : "not";
        }
    }

    /** A close looks for users, then closes. */
    @JCStressTest
    @JCStressMeta(TwoCloses.class)
    @State
    public static class TwoClosesBrokenTwin {
        private final FaultyUsage usage = new FaultyUsage(Fault.CLOSE_CHECKS_FIRST);

        @Actor
        public void first(LL_Result r) {
            r.r1 = usage.tryClose() ? "closed" : "not";
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = usage.tryClose() ? "closed" : "not";
        }
    }

    /** One user comes while another one leaves. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one user")
    @Outcome(
            id = "0",
            expect = FORBIDDEN,
            desc = "the new user was lost: the object can be closed under it")
    @Outcome(
            id = "2",
            expect = FORBIDDEN,
            desc = "the old user stays: the object can never be closed")
    @State
    public static class CreateRelease {
        private final Usage usage = new Usage("it");

        public CreateRelease() {
            acquire(usage);
        }

        @Actor
        public void create() {
            acquire(usage);
        }

        @Actor
        public void release() {
            usage.release();
        }

        @Arbiter
        public void users(L_Result r) {
            r.r1 = usage.users();
        }
    }

    /** A user leaves without an atomic operation. */
    @JCStressTest
    @JCStressMeta(CreateRelease.class)
    @State
    public static class CreateReleaseBrokenTwin {
        private final FaultyUsage usage = new FaultyUsage(Fault.RELEASE_NOT_ATOMIC);

        public CreateReleaseBrokenTwin() {
            acquire(usage);
        }

        @Actor
        public void create() {
            acquire(usage);
        }

        @Actor
        public void release() {
            usage.release();
        }

        @Arbiter
        public void users(L_Result r) {
            r.r1 = usage.users();
        }
    }
}
