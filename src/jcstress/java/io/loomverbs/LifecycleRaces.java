package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.ReferenceQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** Objects that are used, changed, registered or looked up while they are made and closed. */
public class LifecycleRaces {
    private static final int REFUSAL = -16;

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

        final int destroy(IntSupplier by) {
            return usage.close(by, () -> {});
        }
    }

    /** Two threads close an object. */
    @JCStressTest
    @Outcome(id = "closed, not|not, closed", expect = ACCEPTABLE, desc = "either was first")
    @Outcome(id = "closed, closed", expect = FORBIDDEN, desc = "destroyed twice")
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

    /** Two threads close an object, and the device refuses the first of them. */
    @JCStressTest
    @Outcome(id = "refused, closed|closed, refused", expect = ACCEPTABLE, desc = "one closed it")
    @Outcome(id = ".*open.*", expect = FORBIDDEN, desc = "told closed, though it is open")
    @Catches(value = "a thread that closes beside another takes it to be closed", as = ".*open.*")
    @State
    public static class TwoClosesOneRefused extends Owned {
        private final Reluctant device = new Reluctant();

        private String close() {
            boolean refused = destroy(device) == REFUSAL;
            return refused ? "refused" : usage.isClosed() ? "closed" : "open";
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

    /** Something is created from an object that is being closed, perhaps in vain. */
    @JCStressTest
    @Outcome(id = "created, in use", expect = ACCEPTABLE, desc = "created before the close")
    @Outcome(id = "created, refused", expect = ACCEPTABLE, desc = "after the close had failed")
    @Outcome(id = "no, closed", expect = ACCEPTABLE, desc = "closed before the creation")
    @Outcome(id = "created, closed", expect = FORBIDDEN, desc = "a user of a closed object")
    @Outcome(id = "no, refused", expect = FORBIDDEN, desc = "told closed, though it is open")
    @Catches(value = "users get lost", as = "created, closed")
    @Catches(value = "a thread that creates beside a close takes it for closed", as = "no, refused")
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

    /** One user comes while another one leaves, or two create the first users of an object. */
    @JCStressTest
    @Outcome(id = "(1|2), all named", expect = ACCEPTABLE, desc = "those that are there")
    @Outcome(
            id = "0, .*",
            expect = FORBIDDEN,
            desc = "the new one was lost: it can be closed under it")
    @Outcome(id = "2, some named", expect = FORBIDDEN, desc = "a user that no message would name")
    @Catches(value = "a user leaves in two steps", as = "0, .*")
    @Catches(value = "two first users each begin a set of names", as = "2, some named")
    @State
    public static class CreateReleaseOrCreate extends Owned {
        private final boolean releases = ThreadLocalRandom.current().nextBoolean();

        public CreateReleaseOrCreate() {
            if (releases) {
                acquire("second");
            }
        }

        @Actor
        public void create() {
            acquire("first");
        }

        @Actor
        public void releaseOrCreate() {
            if (releases) {
                usage.release("second", null);
            } else {
                acquire("second");
            }
        }

        @Arbiter
        public void users(LL_Result r) {
            r.r1 = usage.users();
            r.r2 = usage.openUsers().size() == (releases ? 1 : 2) ? "all named" : "some named";
        }
    }

    /** An object is opened after all others were closed, while the watch over them ends. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "a thread watches")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "an open object that no thread watches")
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

    /** A region is registered once more while its only registration ends. */
    @JCStressTest
    @Outcome(id = "held", expect = ACCEPTABLE, desc = "the second registration keeps the memory")
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "it came too late, and does not hold it")
    @Outcome(id = "freed", expect = FORBIDDEN, desc = "it holds memory that is free")
    @Catches(value = "a registration holds memory that was freed meanwhile", as = "freed")
    @State
    public static class HoldRelease {
        private final AllocatedMemory memory = AllocatedMemory.allocate(Long.BYTES);
        private final MemorySegment segment = memory.segment();

        public HoldRelease() {
            segment.set(JAVA_LONG, 0, 1);
        }

        @Actor
        public void register(L_Result r) {
            AllocatedMemory held;
            try {
                held = AllocatedMemory.holding(segment);
            } catch (IllegalArgumentException closed) {
                held = null;
            }
            if (held == null) {
                r.r1 = "none";
                return;
            }
            r.r1 = "held";
            for (int i = 0; i < 100; i++) {
                if (!isThere()) {
                    r.r1 = "freed";
                }
                Thread.onSpinWait();
            }
            held.release();
        }

        private boolean isThere() {
            try {
                return segment.get(JAVA_LONG, 0) == 1;
            } catch (IllegalStateException closed) {
                return false;
            }
        }

        @Actor
        public void close() {
            memory.release();
        }
    }

    /** The region moves to another protection domain, or is closed before; neither keeps it. */
    @JCStressTest
    @Outcome(id = "changed, closed, free", expect = ACCEPTABLE, desc = "changed, then closed")
    @Outcome(id = "closed, closed, free", expect = ACCEPTABLE, desc = "closed before")
    @Outcome(id = ".*, open, .*", expect = FORBIDDEN, desc = "open after its close")
    @Catches(value = "a region is changed while it is closed", as = ".*, open, .*")
    @State
    public static class ReregClose {
        private static final Context CONTEXT = Verbs.device("soft0").open();
        private static final MemorySegment MEMORY = Arena.global().allocate(Long.BYTES);

        private final ProtectionDomain before = CONTEXT.allocPd();
        private final ProtectionDomain after = CONTEXT.allocPd();
        private final MemoryRegion region = before.regMr(MEMORY, Access.LOCAL_WRITE);

        @Actor
        public void change(LLL_Result r) {
            Taking.Call rereg =
                    () -> {
                        region.rereg(MrChanges.of().withPd(after));
                        return "changed";
                    };
            r.r1 = Taking.of(rereg);
        }

        @Actor
        public void close() {
            try {
                region.close();
            } catch (RuntimeException e) {
                // It stays open, or in use: that is seen in the end.
            }
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = region.usage().isClosed() ? "closed" : "open";
            r.r3 = isFree(before) && isFree(after) ? "free" : "in use";
        }

        private static boolean isFree(ProtectionDomain pd) {
            try {
                pd.close();
                return true;
            } catch (VerbsException e) {
                return false;
            }
        }
    }

    private static final int FIRST = 17;

    /** In the same chain of a first table. */
    private static final int COLLIDING = 30;

    /** Enough of them that the next one needs a longer table. */
    private static final int FULL = 16;

    /** The table. */
    abstract static class Table {
        final QpNumbers<String> numbers = new QpNumbers<>();

        final void add(int number, String qp) {
            numbers.add(number, numbers.prepare(qp));
        }

        final String found(int number) {
            String qp = numbers.find(number);
            return qp == null ? "none" : qp;
        }
    }

    /** Two are added to one chain. */
    @JCStressTest
    @Outcome(id = "a, b", expect = ACCEPTABLE, desc = "both are found")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "one is lost")
    @Catches(value = "queue pairs are added without the lock", as = ".*none.*")
    @State
    public static class AddAdd extends Table {
        @Actor
        public void first() {
            add(FIRST, "a");
        }

        @Actor
        public void second() {
            add(COLLIDING, "b");
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = found(FIRST);
            r.r2 = found(COLLIDING);
        }
    }

    /** The device has given the number of a destroyed queue pair to a new one. */
    @JCStressTest
    @Outcome(id = "new, null", expect = ACCEPTABLE, desc = "the new one is found")
    @Outcome(id = "none, .*", expect = FORBIDDEN, desc = "the old one took the number away")
    @Outcome(id = "old, .*", expect = FORBIDDEN, desc = "the old one is still found")
    @Catches(value = "a queue pair is removed without the lock", as = "none, .*")
    @Catches(value = "a destroyed queue pair is not removed", as = "old, .*")
    @State
    public static class RemoveAdd extends Table {
        public RemoveAdd() {
            add(FIRST, "old");
        }

        @Actor
        public void closer() {
            numbers.remove(FIRST, "old");
        }

        @Actor
        public void creator() {
            add(FIRST, "new");
        }

        @Arbiter
        public void result(LL_Result r) {
            numbers.remove(FIRST + 1, "another");
            r.r1 = found(FIRST);
            if (r.r1.equals("new")) {
                numbers.remove(FIRST, "new");
                r.r1 = found(FIRST).equals("none") ? "new" : "old";
            }
        }
    }

    /** One is looked for while the table is replaced by a longer one. */
    @JCStressTest
    @Outcome(id = "qp, qp", expect = ACCEPTABLE, desc = "it is found in either")
    @Outcome(id = ".*none.*", expect = FORBIDDEN, desc = "it is lost")
    @Catches(value = "a longer table is empty at first", as = ".*none.*")
    @State
    public static class GrowFind extends Table {
        public GrowFind() {
            for (int i = 0; i < FULL; i++) {
                add(FIRST + i, "qp");
            }
        }

        @Actor
        public void creator() {
            add(FIRST + FULL, "another");
        }

        @Actor
        public void handler(LL_Result r) {
            r.r1 = found(FIRST + 3);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = found(FIRST + 3);
        }
    }
}
