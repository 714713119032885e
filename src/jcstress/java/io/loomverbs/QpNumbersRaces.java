package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

/** Queue pairs that come and go, and a thread that looks for one by its number. */
public class QpNumbersRaces {
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
