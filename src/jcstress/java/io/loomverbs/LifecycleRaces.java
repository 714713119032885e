package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.FaultyLifecycle.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;

/** New users of an object against its close. */
public class LifecycleRaces {
    private static final int REFUSAL = -16;
    private static final int PATIENCE = 10_000;

    static boolean acquire(Lifecycle usage) {
        try {
            Lifecycle.create("ibv_create_it", () -> "user", usage);
            return true;
        } catch (ClosedException e) {
            return false;
        }
    }

    static int destroy(Lifecycle usage, IntSupplier device) {
        return usage.close(device, () -> {});
    }

    static boolean acquire(FaultyLifecycle usage) {
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
        private final Lifecycle usage = new Lifecycle("it");

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "refused";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = destroy(usage, () -> 0) == 0 ? "closed" : "in use";
        }
    }

    /** A new user looks whether it is closed, then counts itself. */
    @JCStressTest
    @JCStressMeta(CreateClose.class)
    @State
    public static class CreateCloseBrokenTwin {
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.ACQUIRE_CHECKS_FIRST);

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "refused";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = usage.close(() -> 0) == 0 ? "closed" : "in use";
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
        private final Lifecycle usage = new Lifecycle("it");

        @Actor
        public void first(LL_Result r) {
            r.r1 = "not";
            destroy(
                    usage,
                    () -> {
                        r.r1 = "closed";
                        return 0;
                    });
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = "not";
            destroy(
                    usage,
                    () -> {
                        r.r2 = "closed";
                        return 0;
                    });
        }
    }

    /** A close looks for users, then closes. */
    @JCStressTest
    @JCStressMeta(TwoCloses.class)
    @State
    public static class TwoClosesBrokenTwin {
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.CLOSE_CHECKS_FIRST);

        @Actor
        public void first(LL_Result r) {
            r.r1 = "not";
            usage.close(
                    () -> {
                        r.r1 = "closed";
                        return 0;
                    });
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = "not";
            usage.close(
                    () -> {
                        r.r2 = "closed";
                        return 0;
                    });
        }
    }

    /** A device that refuses the first time, and takes its time. */
    private static final class Reluctant implements IntSupplier {
        private final AtomicBoolean asked = new AtomicBoolean();

        @Override
        public int getAsInt() {
            FaultyLifecycle.pause();
            return asked.getAndSet(true) ? 0 : REFUSAL;
        }
    }

    private static String told(int outcome, boolean closed) {
        return outcome == REFUSAL ? "refused" : closed ? "closed" : "open";
    }

    /** Two threads close an object, and the device refuses the first of them. */
    @JCStressTest
    @Outcome(id = "refused, closed", expect = ACCEPTABLE, desc = "the second has closed it")
    @Outcome(id = "closed, refused", expect = ACCEPTABLE, desc = "the first has closed it")
    @Outcome(
            id = {"refused, open", "open, refused"},
            expect = FORBIDDEN,
            desc = "returned as if it were closed, but it is not")
    @State
    public static class TwoClosesOneRefused {
        private final Lifecycle usage = new Lifecycle("it");
        private final Reluctant device = new Reluctant();

        @Actor
        public void first(LL_Result r) {
            r.r1 = told(destroy(usage, device), usage.isClosed());
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = told(destroy(usage, device), usage.isClosed());
        }
    }

    /** Who comes while another closes takes it to be closed. */
    @JCStressTest
    @JCStressMeta(TwoClosesOneRefused.class)
    @State
    public static class TwoClosesOneRefusedBrokenTwin {
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.SAYS_CLOSED_TOO_EARLY);
        private final Reluctant device = new Reluctant();
        private volatile boolean refusedSince;

        @Actor
        public void first(LL_Result r) {
            r.r1 = close();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = close();
        }

        /* The twin says closed for a while, and takes it back: what counts is what it ends with. */
        private String close() {
            int outcome = usage.close(device);
            if (outcome == REFUSAL) {
                refusedSince = true;
                return "refused";
            }
            for (int i = 0; i < PATIENCE && !refusedSince; i++) {
                Thread.onSpinWait();
            }
            return told(outcome, usage.isClosed());
        }
    }

    /** Something is created from an object whose close the device refuses. */
    @JCStressTest
    @Outcome(id = "created, refused", expect = ACCEPTABLE, desc = "after the close had failed")
    @Outcome(id = "created, in use", expect = ACCEPTABLE, desc = "before the close")
    @Outcome(id = "told closed, refused", expect = FORBIDDEN, desc = "it was never closed")
    @State
    public static class CreateCloseRefused {
        private final Lifecycle usage = new Lifecycle("it");
        private final Reluctant device = new Reluctant();

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "told closed";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = destroy(usage, device) == REFUSAL ? "refused" : "in use";
        }
    }

    /** Who comes while another closes takes it to be closed. */
    @JCStressTest
    @JCStressMeta(CreateCloseRefused.class)
    @State
    public static class CreateCloseRefusedBrokenTwin {
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.SAYS_CLOSED_TOO_EARLY);
        private final Reluctant device = new Reluctant();

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire(usage) ? "created" : "told closed";
        }

        @Actor
        public void close(LL_Result r) {
            r.r2 = usage.close(device) == REFUSAL ? "refused" : "in use";
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
        private final Lifecycle usage = new Lifecycle("it");

        public CreateRelease() {
            acquire(usage);
        }

        @Actor
        public void create() {
            acquire(usage);
        }

        @Actor
        public void release() {
            usage.release("user");
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
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.RELEASE_NOT_ATOMIC);

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

    /** Two threads create the first users of an object. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "both are named")
    @Outcome(id = "1", expect = FORBIDDEN, desc = "a user that no message would name")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "neither is named")
    @State
    public static class TwoFirstUsers {
        private final Lifecycle usage = new Lifecycle("it");

        @Actor
        public void first() {
            Lifecycle.create("ibv_create_it", () -> "first", usage);
        }

        @Actor
        public void second() {
            Lifecycle.create("ibv_create_it", () -> "second", usage);
        }

        @Arbiter
        public void named(L_Result r) {
            r.r1 = usage.openUsers().size();
        }
    }

    /** The first user looks whether there is a set of names, then puts one there. */
    @JCStressTest
    @JCStressMeta(TwoFirstUsers.class)
    @State
    public static class TwoFirstUsersBrokenTwin {
        private final FaultyLifecycle usage = new FaultyLifecycle(Fault.NAMES_CHECK_FIRST);

        @Actor
        public void first() {
            usage.name("first");
        }

        @Actor
        public void second() {
            usage.name("second");
        }

        @Arbiter
        public void named(L_Result r) {
            r.r1 = usage.openUsers();
        }
    }
}
