package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.internal.soft.SoftCqRaces;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Handlers that are stopped, closed under, and given completions meanwhile. */
public class ServingRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** A CQ that is served, by itself or on its channel, and how much of it was handled. */
    abstract static class Served extends TimedWait {
        /** Whether a sample has waited in vain: the others of its stride do not wait as long. */
        private static volatile boolean missed;

        final AtomicInteger handled = new AtomicInteger();
        private final CompletionChannel channel;
        CompletionQueue cq;
        Serving serving;

        /** A channel, on which nothing happens yet; or a CQ that is served by itself. */
        Served(boolean onChannel) {
            channel = onChannel ? CONTEXT.createCompChannel() : null;
            if (!onChannel) {
                create(4);
                serve(1);
            }
        }

        Served() {
            this(false);
        }

        final void create(int cqe) {
            cq =
                    channel == null
                            ? CONTEXT.createDirectCq(cqe)
                            : CONTEXT.createCq(cqe, null, channel, 0);
        }

        final void serve(int threads) {
            if (channel == null) {
                serving = Serving.of(cq, this::handle, FailurePolicy.REPORT);
                serving.start(Thread.ofVirtual().factory());
            } else {
                serving = channel.serve((_, batch) -> handle(batch), threads);
            }
        }

        private void handle(WorkCompletions batch) {
            handled.addAndGet(batch.size());
        }

        final void complete() {
            SoftCqRaces.complete(cq.ops(), 1);
        }

        /** Whether all was drained, as a word. */
        final String stop() {
            Taking.Call stop = () -> serving.stop(Patience.time()) ? "drained" : "not drained";
            return waits(() -> Taking.of(stop));
        }

        /** How many were handled in the end, up to so many at least. */
        final int awaitHandled(int n) {
            long end = System.nanoTime() + (missed ? 1_000_000 : Patience.nanos());
            while (handled.get() < n) {
                if (System.nanoTime() > end) {
                    missed = true;
                    break;
                }
                Thread.onSpinWait();
            }
            return handled.get();
        }

        final void end() {
            serving.close();
            cq.close();
            if (channel != null) {
                channel.close();
            }
        }
    }

    /** A completion arrives, then serving is stopped, while its threads are anywhere. */
    @JCStressTest
    @Outcome(id = "drained, 1, in time", expect = ACCEPTABLE, desc = "handled")
    @Outcome(id = ".*, 0, .*", expect = FORBIDDEN, desc = "what had arrived was left")
    @Outcome(id = ".*, .*, stuck", expect = FORBIDDEN, desc = "the stop did not return")
    @Catches(value = "a thread that is stopped does not poll again", as = ".*, 0, .*")
    @Catches(value = "a stop of a channel drains no CQ", as = ".*, 0, .*")
    @Catches(value = "the end of serving wakes no thread", as = ".*, .*, stuck")
    @State
    public static class CompleteThenStop extends Served {
        public CompleteThenStop() {
            super(ThreadLocalRandom.current().nextBoolean());
            if (serving == null) {
                create(4);
                serve(2);
            }
        }

        @Actor
        public void disturb() {
            Taking.pauseUpTo(60_000);
            cq.ledger().raise(); // a stale event
        }

        @Actor
        public void completeAndStop(LLL_Result r) {
            Taking.pauseUpTo(60_000);
            complete();
            r.r1 = stop();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = handled.get();
            r.r3 = inTime();
            end();
        }
    }

    /** A completion arrives while serving is stopped. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "handled")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "it came too late, and stays")
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "lost")
    @Catches(value = "what was polled is not handled", as = "0, 0")
    @State
    public static class CompleteStop extends Served {
        @Actor
        public void completeOne() {
            Taking.pauseUpTo(20_000);
            complete();
        }

        @Actor
        public void stopIt() {
            Taking.pauseUpTo(20_000);
            stop();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = handled.get();
            r.r2 = cq.poll(WorkCompletions.allocate(4));
            end();
        }
    }

    /** The CQ is closed while serving of it is stopped. */
    @JCStressTest
    @Outcome(id = "drained, in time", expect = ACCEPTABLE, desc = "nothing is left, both return")
    @Outcome(id = "not drained, .*", expect = FORBIDDEN, desc = "something is said to be left")
    @Catches(value = "a close of a CQ counts as something left", as = "not drained, .*")
    @State
    public static class StopClose extends Served {
        @Actor
        public void stopIt(LL_Result r) {
            Taking.pauseUpTo(20_000);
            r.r1 = stop();
        }

        @Actor
        public void close() {
            Taking.pauseUpTo(20_000);
            cq.close();
            woken();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = inTime();
            end();
        }
    }

    /** Two threads bring work for one CQ, and handle it if it is their turn. */
    @JCStressTest
    @Outcome(id = "2, alone", expect = ACCEPTABLE, desc = "all was handled, one after the other")
    @Outcome(id = "[01], .*", expect = FORBIDDEN, desc = "work is left, and no thread looks")
    @Outcome(id = ".*, at once", expect = FORBIDDEN, desc = "two threads handled at once")
    @Catches(value = "two threads handle one CQ at once", as = ".*, at once")
    @Catches(value = "a thread that handles does not look again", as = "[01], .*")
    @State
    public static class TwoTurns {
        private final HandlingTurn turn = new HandlingTurn();
        private final AtomicInteger work = new AtomicInteger();
        private final AtomicInteger inside = new AtomicInteger();
        private volatile boolean atOnce;
        private int handled;

        private void bring() {
            work.incrementAndGet();
            if (!turn.tryBegin()) {
                return;
            }
            do {
                if (inside.incrementAndGet() > 1) {
                    atOnce = true;
                }
                handled += work.getAndSet(0);
                Taking.pauseUpTo(200);
                inside.decrementAndGet();
            } while (!turn.tryEnd());
        }

        @Actor
        public void first() {
            bring();
        }

        @Actor
        public void second() {
            bring();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = handled;
            r.r2 = atOnce ? "at once" : "alone";
        }
    }

    /**
     * A CQ is created on a channel while that begins to be served, or one with more than its share
     * gets a completion while its turn ends.
     */
    @JCStressTest
    @Outcome(id = "(new|busy), all", expect = ACCEPTABLE, desc = "each completion was handled once")
    @Outcome(id = "new, stuck", expect = FORBIDDEN, desc = "no thread has armed the CQ")
    @Outcome(id = "busy, stuck", expect = FORBIDDEN, desc = "some are left, and no thread looks")
    @Catches(value = "a CQ that is created on a served channel is not armed", as = "new, stuck")
    @Catches(value = "CQs of before are not armed when serving begins", as = "new, stuck")
    @Catches(value = "a CQ whose turn is over is forgotten", as = "busy, stuck")
    @State
    public static class ServeNewOrBusy extends Served {
        /** What a turn handles, in full batches: after those a CQ is not armed. */
        private static final int SHARE = (ChannelServing.SHARE + 1) * BatchSlab.CAPACITY;

        private final int before = ThreadLocalRandom.current().nextBoolean() ? SHARE : 0;

        public ServeNewOrBusy() {
            super(true);
            if (before > 0) {
                create(before + 1);
            }
            for (int i = 0; i < before; i++) {
                complete();
            }
        }

        @Actor
        public void serve() {
            serve(1);
        }

        @Actor
        public void createOrComplete() {
            if (before == 0) {
                create(4);
            } else {
                Taking.pauseUpTo(60_000);
                complete();
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = before == 0 ? "new" : "busy";
            if (before == 0) {
                complete();
            }
            int of = awaitHandled(before + 1);
            r.r2 = of <= before ? "stuck" : of == before + 1 ? "all" : "twice";
            end();
        }
    }
}
