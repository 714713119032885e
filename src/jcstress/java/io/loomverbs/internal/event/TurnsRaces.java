package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads that let others come first go on, and are looked after. */
public class TurnsRaces {
    private static final long NEVER = 1L << 60;
    private static final int WAITS = 4;

    /** A thread that finds no carrier: it is never run. */
    private static final class Unable extends Thread {
        @Override
        public synchronized void start() {}
    }

    /** A guard ends while a thread closes the gate. */
    @JCStressTest
    @Outcome(id = "open, .*", expect = ACCEPTABLE, desc = "the guard has opened the gate")
    @Outcome(id = "closed, 2", expect = ACCEPTABLE, desc = "another guard looks after it")
    @Outcome(id = "closed, 1", expect = FORBIDDEN, desc = "no guard looks after it")
    @Catches(value = "a guard that ends does not look again", as = "closed, 1")
    @State
    public static class GuardEnds {
        private final AtomicInteger guards = new AtomicInteger();
        private final Turns turns =
                new Turns(
                        _ -> new Unable(),
                        _ -> {
                            guards.incrementAndGet();
                            return new Unable();
                        },
                        () -> false,
                        new Turns.Slice(1, 0, 0, 1, 1, 0));

        public GuardEnds() {
            turns.guard.use();
            pass(); // sends a probe
        }

        private void pass() {
            turns.look(new Turns.Turn(Thread.currentThread()), System.nanoTime(), 0);
        }

        @Actor
        public void guard() {
            turns.guard.run();
        }

        @Actor
        public void passer() {
            pass();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = turns.isInUse() ? "closed" : "open";
            r.r2 = guards.get();
        }
    }

    /** Two threads join the list while the gate is closed. */
    @JCStressTest
    @Outcome(id = "let in, let in", expect = ACCEPTABLE, desc = "both had their turn")
    @Outcome(id = ".*lost.*", expect = FORBIDDEN, desc = "one is not in the list")
    @Catches(value = "threads join the list without the lock", as = ".*lost.*")
    @State
    public static class TwoJoin {
        private static final int MOST_ENVOYS = 8;

        /** What was to be run by agents; none of them runs before both threads have joined. */
        private final List<Runnable> agents = new ArrayList<>();

        private final Meeting meeting = new Meeting();
        private final Turns.Turn a = new Turns.Turn(new Thread());
        private final Turns.Turn b = new Turns.Turn(new Thread());
        private final Turns turns =
                new Turns(
                        agent -> {
                            agents.add(agent);
                            return new Unable();
                        },
                        _ -> new Unable(),
                        () -> false,
                        new Turns.Slice(1, 0, 0, MOST_ENVOYS, 1, 0));

        public TwoJoin() {
            join(new Turns.Turn(new Thread())); // sends a probe
            join(new Turns.Turn(new Thread())); // closes the gate, and sends a keeper
        }

        private void join(Turns.Turn turn) {
            turns.look(turn, System.nanoTime(), 0);
        }

        @Actor
        public void first() {
            meeting.await();
            join(a);
        }

        @Actor
        public void second() {
            meeting.await();
            join(b);
        }

        /** Runs the keeper, then the envoys: a bounded number, as a list may have become a ring. */
        @Arbiter
        public void result(LL_Result r) {
            for (int i = 1; i < agents.size() && i < MOST_ENVOYS; i++) {
                agents.get(i).run();
            }
            r.r1 = a.mayGoOn() ? "let in" : "lost";
            r.r2 = b.mayGoOn() ? "let in" : "lost";
        }
    }

    /** Two threads pass again and again. */
    @JCStressTest
    @Outcome(id = "back, back", expect = ACCEPTABLE, desc = "both have gone on")
    @Outcome(id = ".*stuck.*", expect = FORBIDDEN, desc = "one was left in the list")
    @Catches(value = "those that may go on are not unparked", as = ".*stuck.*")
    @State
    public static class TwoPass {
        private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();

        private final Turns turns =
                new Turns(VIRTUAL, VIRTUAL, () -> false, new Turns.Slice(1, 0, 0, 1, 1, NEVER));
        private final OnVirtualThread<String> a = OnVirtualThread.start(this::pass);
        private final OnVirtualThread<String> b = OnVirtualThread.start(this::pass);

        private String pass() {
            EventQueue queue = EventQueue.ofOneCq(null);
            for (int i = 0; i < WAITS; i++) {
                if (turns.before(queue, queue.countWait(), Patience.nanos()) <= 0) {
                    return "stuck";
                }
            }
            return "back";
        }

        @Actor
        public void join(LL_Result r) {
            r.r1 = a.join();
            r.r2 = b.join();
        }
    }
}
