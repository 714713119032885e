package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.internal.soft.Completing;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Handlers that are stopped, closed under, and given completions meanwhile. */
public class ServingRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** Whether a sample has waited in vain: the others of its stride do not wait as long. */
    private static volatile boolean missed;

    private static void awaitHandled(AtomicInteger handled, int n) {
        long start = System.nanoTime();
        long nanos = missed ? 1_000_000 : Patience.nanos();
        while (handled.get() < n) {
            if (System.nanoTime() - start > nanos) {
                missed = true;
                return;
            }
            Thread.onSpinWait();
        }
    }

    /** Whether all was drained, as a word. */
    private static String stop(Serving serving) {
        Duration patience = Duration.ofNanos(Patience.nanos());
        return Taking.of(() -> serving.stop(patience) ? "drained" : "not drained");
    }

    /** A served CQ, and how much of it was handled. */
    abstract static class Scene extends TimedWait {
        final CompletionQueue cq = CONTEXT.createDirectCq(4);
        final AtomicInteger handled = new AtomicInteger();
        final Serving serving =
                Serving.of(cq, batch -> handled.addAndGet(batch.size()), FailurePolicy.REPORT);

        Scene() {
            serving.start(Thread.ofVirtual().factory());
        }

        final void complete() {
            Completing.complete(cq.ops(), 1);
        }

        final String stop() {
            return waits(() -> ServingRaces.stop(serving));
        }

        final void end() {
            serving.close();
            cq.close();
        }
    }

    /** A completion arrives, then serving is stopped, while its thread is anywhere. */
    @JCStressTest
    @Outcome(id = "drained, 1, in time", expect = ACCEPTABLE, desc = "handled")
    @Outcome(id = "not drained, .*", expect = FORBIDDEN, desc = "the stop ran out of time")
    @Outcome(id = "drained, 0, .*", expect = FORBIDDEN, desc = "what had arrived was left")
    @Outcome(id = ".*, 2, .*", expect = FORBIDDEN, desc = "it was handled twice")
    @Outcome(id = ".*, .*, stuck", expect = FORBIDDEN, desc = "the stop did not return")
    @Catches(value = "a thread that is stopped does not poll again", as = "drained, 0, .*")
    @Catches(value = "the end of serving wakes no thread", as = ".*, .*, stuck")
    @State
    public static class CompleteThenStop extends Scene {
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
    @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "handled and left")
    @Catches(value = "what was polled is not handled", as = "0, 0")
    @State
    public static class CompleteStop extends Scene {
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
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the stop did not return")
    @Catches(value = "a close of a CQ counts as something left", as = "not drained, .*")
    @State
    public static class StopClose extends Scene {
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

    /** A channel that is served, a CQ of it, and how much was handled. */
    abstract static class Channel {
        final CompletionChannel channel = CONTEXT.createCompChannel();
        final AtomicInteger handled = new AtomicInteger();
        CompletionQueue cq;
        Serving serving;

        final void create(int cqe) {
            cq = CONTEXT.createCq(cqe, null, channel, 0);
        }

        final void serve(int threads) {
            serving = channel.serve((of, batch) -> handled.addAndGet(batch.size()), threads);
        }

        final void complete() {
            Completing.complete(cq.ops(), 1);
        }

        final void end() {
            serving.close();
            cq.close();
            channel.close();
        }
    }

    /** A CQ is created on a channel while that begins to be served. */
    @JCStressTest
    @Outcome(id = "handled", expect = ACCEPTABLE, desc = "its completion was handled")
    @Outcome(id = "stuck", expect = FORBIDDEN, desc = "no thread has armed it")
    @Catches(value = "a CQ that is created on a served channel is not armed", as = "stuck")
    @Catches(value = "CQs of before are not armed when serving begins", as = "stuck")
    @State
    public static class ServeCreate extends Channel {
        @Actor
        public void serve() {
            serve(1);
        }

        @Actor
        public void create() {
            create(4);
        }

        @Arbiter
        public void result(L_Result r) {
            complete();
            awaitHandled(handled, 1);
            r.r1 = handled.get() == 1 ? "handled" : "stuck";
            end();
        }
    }

    /** A completion arrives on a channel, then serving it is stopped. */
    @JCStressTest
    @Outcome(id = "drained, 1", expect = ACCEPTABLE, desc = "handled")
    @Outcome(id = ".*, [02]", expect = FORBIDDEN, desc = "left, or handled twice")
    @Outcome(id = "not drained, .*", expect = FORBIDDEN, desc = "the stop ran out of time")
    @Catches(value = "a stop of a channel drains no CQ", as = ".*, [02]")
    @State
    public static class ChannelCompleteThenStop extends Channel {
        public ChannelCompleteThenStop() {
            create(4);
            serve(2);
        }

        @Actor
        public void disturb() {
            Taking.pauseUpTo(20_000);
            cq.ledger().raise(); // a stale event
        }

        @Actor
        public void completeAndStop(LL_Result r) {
            Taking.pauseUpTo(20_000);
            complete();
            r.r1 = stop(serving);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = handled.get();
            end();
        }
    }

    /** A completion arrives while the turn of a CQ with more than its share ends. */
    @JCStressTest
    @Outcome(id = "all", expect = ACCEPTABLE, desc = "the CQ had another turn, or the last batch")
    @Outcome(id = "stuck", expect = FORBIDDEN, desc = "completions are left, and no thread looks")
    @Outcome(id = "twice", expect = FORBIDDEN, desc = "one was handled twice")
    @Catches(value = "a CQ whose turn is over is forgotten", as = "stuck")
    @State
    public static class BusyCqComplete extends Channel {
        /** What a turn handles, in full batches: after those a CQ is not armed. */
        private static final int SHARE = (ChannelServing.SHARE + 1) * BatchSlab.CAPACITY;

        public BusyCqComplete() {
            create(SHARE + 1);
            for (int i = 0; i < SHARE; i++) {
                complete();
            }
        }

        @Actor
        public void serve() {
            serve(1);
        }

        @Actor
        public void completeOne() {
            Taking.pauseUpTo(60_000);
            complete();
        }

        @Arbiter
        public void result(L_Result r) {
            awaitHandled(handled, SHARE + 1);
            int of = handled.get();
            r.r1 = of <= SHARE ? "stuck" : of == SHARE + 1 ? "all" : "twice";
            end();
        }
    }
}
