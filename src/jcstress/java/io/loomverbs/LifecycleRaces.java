package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;

/** New users of an object against its close. */
public class LifecycleRaces {
    private static final int REFUSAL = -16;

    /** An object that has users, and is closed. */
    abstract static class Owned {
        final Lifecycle usage = new Lifecycle("it");

        /** Whether it has a new user. */
        final boolean acquire(String user) {
            try {
                Lifecycle.create("ibv_create_it", () -> user, usage);
                return true;
            } catch (ClosedException e) {
                return false;
            }
        }

        final int destroy(IntSupplier device) {
            return usage.close(device, () -> {});
        }
    }

    /** Two threads close an object. */
    @JCStressTest
    @Outcome(id = "closed, not|not, closed", expect = ACCEPTABLE, desc = "either was first")
    @Outcome(id = "closed, closed", expect = FORBIDDEN, desc = "destroyed twice")
    @Outcome(id = "not, not", expect = FORBIDDEN, desc = "no thread closed it")
    @Catches(value = "a close looks for users, then closes", as = "closed, closed")
    @State
    public static class TwoCloses extends Owned {
        private String close() {
            String[] outcome = {"not"};
            destroy(
                    () -> {
                        outcome[0] = "closed";
                        return 0;
                    });
            return outcome[0];
        }

        @Actor
        public void first(LL_Result r) {
            r.r1 = close();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = close();
        }
    }

    /** A device that refuses the first time, and takes its time. */
    private static final class Reluctant implements IntSupplier {
        private final AtomicBoolean asked = new AtomicBoolean();

        @Override
        public int getAsInt() {
            for (int i = 0; i < 20; i++) {
                Thread.onSpinWait();
            }
            return asked.getAndSet(true) ? 0 : REFUSAL;
        }
    }

    private static String told(int outcome, boolean closed) {
        return outcome == REFUSAL ? "refused" : closed ? "closed" : "open";
    }

    /** Two threads close an object, and the device refuses the first of them. */
    @JCStressTest
    @Outcome(id = "refused, closed|closed, refused", expect = ACCEPTABLE, desc = "one closed it")
    @Outcome(id = ".*open.*", expect = FORBIDDEN, desc = "told closed, though it is open")
    @Catches(value = "a thread that closes beside another takes it to be closed", as = ".*open.*")
    @State
    public static class TwoClosesOneRefused extends Owned {
        private final Reluctant device = new Reluctant();

        @Actor
        public void first(LL_Result r) {
            r.r1 = told(destroy(device), usage.isClosed());
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = told(destroy(device), usage.isClosed());
        }
    }

    /** Something is created from an object that is being closed, perhaps in vain. */
    @JCStressTest
    @Outcome(id = "created, in use", expect = ACCEPTABLE, desc = "created before the close")
    @Outcome(id = "created, refused", expect = ACCEPTABLE, desc = "after the close had failed")
    @Outcome(id = "no, closed", expect = ACCEPTABLE, desc = "closed before the creation")
    @Outcome(id = "created, closed", expect = FORBIDDEN, desc = "a user of a closed object")
    @Outcome(id = "no, refused", expect = FORBIDDEN, desc = "told closed, though it is open")
    @Outcome(id = "no, in use", expect = FORBIDDEN, desc = "neither happened")
    @Catches(value = "users get lost", as = "created, closed")
    @Catches(
            value = "a thread that creates beside a close takes it to be closed",
            as = "no, refused")
    @State
    public static class CreateClose extends Owned {
        private final IntSupplier device =
                ThreadLocalRandom.current().nextBoolean() ? new Reluctant() : () -> 0;

        @Actor
        public void create(LL_Result r) {
            r.r1 = acquire("user") ? "created" : "no";
        }

        @Actor
        public void close(LL_Result r) {
            int outcome = destroy(device);
            r.r2 = outcome == 0 ? "closed" : outcome == REFUSAL ? "refused" : "in use";
        }
    }

    /** One user comes while another one leaves. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one user")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the new one was lost: it can be closed under it")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "the old user stays: it can never be closed")
    @Catches(value = "a user leaves in two steps", as = "0")
    @State
    public static class CreateRelease extends Owned {
        public CreateRelease() {
            acquire("user");
        }

        @Actor
        public void create() {
            acquire("user");
        }

        @Actor
        public void release() {
            usage.release("user", null);
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
    @Catches(value = "two first users each begin a set of names", as = "1")
    @State
    public static class TwoFirstUsers extends Owned {
        @Actor
        public void first() {
            acquire("first");
        }

        @Actor
        public void second() {
            acquire("second");
        }

        @Arbiter
        public void named(L_Result r) {
            r.r1 = usage.openUsers().size();
        }
    }
}
