package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.Meeting;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.lang.foreign.MemorySegment;
import java.util.StringJoiner;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** Queue pairs of the embedded device: each request completes once, never twice. */
public class QpRaces {
    private static final SendWr SEND_1 = RaceQp.sendOfNothing(1);
    private static final SendWr SEND_2 = RaceQp.sendOfNothing(2);
    private static final RecvWr RECEIVE_1 = RaceQp.receiveOfNothing(1);
    private static final RecvWr RECEIVE_2 = RaceQp.receiveOfNothing(2);

    private static String accepted(boolean accepted) {
        return accepted ? "accepted" : "refused";
    }

    /** What became of the requests: the status of each completion. */
    static String statuses(SoftCq cq) {
        return polled(cq, " and ", "nothing", QpRaces::status);
    }

    private static String status(MemorySegment wc) {
        int status = WcStruct.status(wc, 0);
        return switch (status) {
            case Ibv.WC_SUCCESS -> "done";
            case Ibv.WC_WR_FLUSH_ERR -> "flushed";
            default -> "status " + status;
        };
    }

    /** Which requests were completed, in that order. */
    static String numbers(SoftCq cq) {
        return polled(cq, " ", "none", wc -> Long.toString(WcStruct.wrId(wc, 0)));
    }

    private static String polled(
            SoftCq cq, String between, String none, Function<MemorySegment, String> word) {
        StringJoiner words = new StringJoiner(between);
        words.setEmptyValue(none);
        MemorySegment wc = SoftCqRaces.room();
        while (cq.poll(wc, 0, 1) > 0) {
            words.add(word.apply(wc));
        }
        return words.toString();
    }

    /** A request, to send or to receive, is posted while the queue pair enters the error state. */
    @JCStressTest
    @Outcome(id = "accepted, done, done", expect = ACCEPTABLE, desc = "carried out before")
    @Outcome(id = "accepted, flushed, nothing", expect = ACCEPTABLE, desc = "posted, and flushed")
    @Outcome(id = "accepted, nothing, .*", expect = FORBIDDEN, desc = "a request was lost")
    @Catches(value = "a signal to a runner is lost", as = "accepted, nothing, .*")
    @Catches(value = "a receive looks at the state, then is there", as = "accepted, nothing, .*")
    @State
    public static class PostFlush {
        private final boolean sends = ThreadLocalRandom.current().nextBoolean();
        private final RacePair pair = new RacePair(1);

        @Actor
        public void post(LLL_Result r) {
            r.r1 = accepted(sends ? pair.a.send(SEND_1) : pair.a.receive(RECEIVE_1));
        }

        @Actor
        public void fail() {
            pair.a.fail();
        }

        @Arbiter
        public void completions(LLL_Result r) {
            r.r2 = statuses(sends ? pair.a.sends : pair.a.receives);
            r.r3 = statuses(pair.b.receives);
            pair.end();
        }
    }

    /** Two threads send at once, or post a buffer each, which the queue pair then gives back. */
    @JCStressTest
    @Outcome(id = "1 2|2 1", expect = ACCEPTABLE, desc = "both came back, in order of posts")
    @Outcome(id = "[12]", expect = FORBIDDEN, desc = "a request was lost")
    @Outcome(id = ".*(1.*1|2.*2).*", expect = FORBIDDEN, desc = "one request came back twice")
    @Catches(value = "two threads run one queue at once", as = ".*(1.*1|2.*2).*")
    @Catches(value = "a signal to a runner is lost", as = "[12]")
    @Catches(value = "buffers are added without the lock", as = "[12]")
    @State
    public static class TwoPosts {
        private final boolean sends = ThreadLocalRandom.current().nextBoolean();
        private final RacePair pair = new RacePair(sends ? 2 : 0);
        private final Meeting meeting = new Meeting();

        private void post(SendWr send, RecvWr receive) {
            meeting.await();
            boolean ignored = sends ? pair.a.send(send) : pair.a.receive(receive);
        }

        @Actor
        public void first() {
            post(SEND_1, RECEIVE_1);
        }

        @Actor
        public void second() {
            post(SEND_2, RECEIVE_2);
        }

        @Arbiter
        public void completions(L_Result r) {
            if (!sends) {
                pair.a.fail();
            }
            r.r1 = numbers(sends ? pair.a.sends : pair.a.receives);
            pair.end();
        }
    }

    /** A queue pair is destroyed, or reset and connected anew, while a request is posted. */
    @JCStressTest
    @Outcome(id = "none, nothing, refused", expect = ACCEPTABLE, desc = "posted after that")
    @Outcome(id = "none, nothing, accepted", expect = ACCEPTABLE, desc = "posted, then dropped")
    @Outcome(id = "1, nothing, accepted", expect = ACCEPTABLE, desc = "done before that")
    @Outcome(id = ".*, done, .*", expect = FORBIDDEN, desc = "done after that")
    @Catches(value = "a queue pair is destroyed without the locks", as = ".*, done, .*")
    @Catches(value = "a send looks at the state before it has the lock", as = ".*, done, .*")
    @State
    public static class DropPost {
        private final boolean resets = ThreadLocalRandom.current().nextBoolean();
        private final RacePair pair = new RacePair(1);

        @Actor
        public void drop(LLL_Result r) {
            if (resets) {
                pair.a.reset();
            } else {
                pair.a.qp.destroy();
            }
            r.r1 = numbers(pair.a.sends);
        }

        @Actor
        public void post(LLL_Result r) {
            r.r3 = accepted(pair.a.send(SEND_1));
        }

        @Arbiter
        public void late(LLL_Result r) {
            if (resets) {
                pair.a.connect(pair.b);
            }
            r.r2 = statuses(pair.a.sends);
            pair.end();
        }
    }

    /** The first or the second request of a context is to fail; two queue pairs have one each. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one of them has failed")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "neither was the one that is to fail")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "both were")
    @Catches(value = "requests that are to fail are counted in two steps", as = "0")
    @Catches(value = "requests that are to fail are counted in two steps", as = "2")
    @State
    public static class TwoRequests {
        private static final SoftQp FIRST = new RaceQp().qp;
        private static final SoftQp SECOND = new RaceQp().qp;

        private final AtomicLong left = new AtomicLong(ThreadLocalRandom.current().nextInt(1, 3));
        private final FaultPlan plan =
                FaultPlan.none(1).with(new FaultPlan.Failure(null, left, Ibv.WC_GENERAL_ERR));
        private final AtomicInteger failed = new AtomicInteger();

        private void request(SoftQp qp) {
            if (plan.failureOfNext(qp) != 0) {
                failed.incrementAndGet();
            }
        }

        @Actor
        public void first() {
            request(FIRST);
        }

        @Actor
        public void second() {
            request(SECOND);
        }

        @Arbiter
        public void result(I_Result r) {
            r.r1 = failed.get();
        }
    }
}
