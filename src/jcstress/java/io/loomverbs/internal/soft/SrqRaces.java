package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.event.Meeting;
import io.loomverbs.jcstress.Catches;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Receive queues of the embedded device, shared ones above all: limits, and starved senders. */
public class SrqRaces {
    private static final SendWr SEND = RaceQp.sendOfNothing(1);
    private static final RecvWr RECEIVE_1 = RaceQp.receiveOfNothing(1);
    private static final RecvWr RECEIVE_2 = RaceQp.receiveOfNothing(2);

    /** A queue that counts its limit events. */
    static final class Queue {
        final AtomicInteger events = new AtomicInteger();
        final SoftSrq srq;

        Queue(int posted) {
            SrqAttr attr = new SrqAttr(4, 1, 0);
            srq = (SoftSrq) RaceQp.PD.createSrq(attr, type -> events.incrementAndGet());
            for (int i = 1; i <= posted; i++) {
                post(RaceQp.receiveOfNothing(i));
            }
        }

        void post(RecvWr wr) {
            srq.postRecv(wr);
        }

        void arm(int limit) {
            srq.modify(new SrqAttr(0, 0, limit), Ibv.SRQ_LIMIT);
        }

        /** A request is taken and used, as by a message. */
        String receive() {
            RecvSlot slot = srq.take(null);
            if (slot == null) {
                return "none";
            }
            String number = Long.toString(slot.wrId);
            if (srq.used(slot)) {
                events.incrementAndGet();
            }
            return number;
        }

        String end() {
            srq.destroy();
            return "events: " + events;
        }
    }

    /** A sender, whose peer takes its receives from a shared queue. */
    private static RacePair pair(Queue queue) {
        CqListener deaf = RaceQp.DEAF;
        RaceQp peer = new RaceQp(RaceQp.CONTEXT, RaceQp.PD, deaf, deaf, queue.srq);
        return new RacePair(new RaceQp(), peer, 0);
    }

    /** What became of the sender's message. */
    private static String end(RacePair pair) {
        String sent = QpRaces.statuses(pair.a.sends);
        pair.end();
        return sent;
    }

    /** A request is used that goes below the limit, while another is used, or the limit is set. */
    @JCStressTest
    @Outcome(id = "events: 1", expect = ACCEPTABLE, desc = "told by whichever was second")
    @Outcome(id = "events: 2", expect = FORBIDDEN, desc = "one limit was reached twice")
    @Outcome(id = "events: 0", expect = FORBIDDEN, desc = "no thread is told of the limit")
    @Catches(value = "two threads reach one limit of a shared queue", as = "events: 2")
    @Catches(value = "setting a limit does not look what is posted", as = "events: 0")
    @Catches(value = "a limit is set without the lock", as = "events: 2")
    @State
    public static class ReachLimit {
        private final boolean arms = ThreadLocalRandom.current().nextBoolean();
        private final Queue queue = new Queue(arms ? 1 : 3);

        public ReachLimit() {
            if (!arms) {
                queue.arm(2);
            }
        }

        @Actor
        public void armOrReceive() {
            if (arms) {
                queue.arm(1);
            } else {
                queue.receive();
            }
        }

        @Actor
        public void receive() {
            queue.receive();
        }

        @Arbiter
        public void after(L_Result r) {
            r.r1 = queue.end();
        }
    }

    /** Two queue pairs take requests at once. */
    @JCStressTest
    @Outcome(id = "1, 2|2, 1", expect = ACCEPTABLE, desc = "one each")
    @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "two messages in one buffer")
    @Catches(value = "requests are taken without the lock", as = "1, 1")
    @State
    public static class TwoTakes {
        private final Queue queue = new Queue(2);

        @Actor
        public void first(LL_Result r) {
            r.r1 = queue.receive();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = queue.receive();
        }

        @Arbiter
        public void after() {
            queue.end();
        }
    }

    /** A message comes while the only buffer for it is posted, or another gives it back unused. */
    @JCStressTest
    @Outcome(id = "done, done", expect = ACCEPTABLE, desc = "it arrived, at once or when told")
    @Outcome(id = "nothing, .*", expect = FORBIDDEN, desc = "the sender waits beside a buffer")
    @Catches(value = "a sender without a buffer does not look again", as = "nothing, .*")
    @Catches(value = "that the peer is ready is forgotten after an attempt", as = "nothing, .*")
    @Catches(value = "a sender looks for a request without the lock", as = "nothing, .*")
    @Catches(value = "a request that is given back wakes no sender", as = "nothing, .*")
    @State
    public static class SendPost {
        private final boolean shared = ThreadLocalRandom.current().nextBoolean();
        private final Queue queue = new Queue(ThreadLocalRandom.current().nextInt(2));
        private final RacePair pair = shared ? pair(queue) : new RacePair(0);
        private final @Nullable RecvSlot taken = queue.srq.take(null);
        private final Meeting meeting = new Meeting();

        @Actor
        public void send() {
            meeting.await();
            pair.a.send(SEND);
        }

        @Actor
        public void post() {
            meeting.await();
            if (!shared) {
                pair.b.receive(RECEIVE_1);
            } else if (taken == null) {
                queue.post(RECEIVE_1);
            } else if (queue.srq.giveBack(taken)) {
                queue.srq.kickStarved();
            }
        }

        @Arbiter
        public void after(LL_Result r) {
            r.r2 = QpRaces.statuses(pair.b.receives);
            r.r1 = end(pair);
            queue.end();
        }
    }

    /** Two senders wait, and two threads post a request each. */
    @JCStressTest
    @Outcome(id = "done, done", expect = ACCEPTABLE, desc = "one request each")
    @Outcome(id = ".*nothing.*", expect = FORBIDDEN, desc = "a sender waits beside a buffer")
    @Catches(value = "a post to a shared queue tells no sender", as = ".*nothing.*")
    @State
    public static class TwoStarved {
        private final Queue queue = new Queue(0);
        private final RacePair one = pair(queue);
        private final RacePair two = pair(queue);

        public TwoStarved() {
            synchronized (SEND) {
                one.a.send(SEND);
                two.a.send(SEND);
            }
        }

        @Actor
        public void first() {
            queue.post(RECEIVE_1);
        }

        @Actor
        public void second() {
            queue.post(RECEIVE_2);
        }

        @Arbiter
        public void after(LL_Result r) {
            r.r1 = end(one);
            r.r2 = end(two);
            queue.end();
        }
    }
}
