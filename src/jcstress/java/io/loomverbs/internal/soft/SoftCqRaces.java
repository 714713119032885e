package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.Meeting;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The completion queue of the embedded device: arms, completions and polls. */
public class SoftCqRaces {
    private static final int IMM = 0x1234_5678;
    private static final int QP_NUM = 17;

    static SoftCq cq(int cqe) {
        return new SoftCq(RaceQp.CONTEXT, cqe, null, RaceQp.DEAF);
    }

    static MemorySegment room() {
        return MemorySegment.ofArray(new long[WcStruct.BYTES / Long.BYTES]);
    }

    static int add(SoftCq cq, long wrId) {
        SoftWc wc = new SoftWc().set(QP_NUM, wrId, Ibv.WC_SUCCESS, Ibv.WC_RECV, (int) wrId);
        wc.immData = IMM;
        return cq.add(wc);
    }

    /** Raises the event, too, if the CQ was armed for it, as queue pairs do. */
    public static void complete(CqOps ops, long wrId) {
        SoftCq cq = (SoftCq) ops;
        if (add(cq, wrId) == SoftCq.FIRED) {
            cq.events.completionEvent();
        }
    }

    static String event(int added) {
        return added == SoftCq.FIRED ? "event" : "silence";
    }

    static String polled(int n) {
        return n == -Errno.EIO ? "EIO" : Integer.toString(n);
    }

    static int poll(CqOps cq) {
        return cq.poll(room(), 0, 1);
    }

    /** A CQ is armed for all completions and polled, while another thread arms it for solicited. */
    @JCStressTest
    @Outcome(id = "0, event", expect = ACCEPTABLE, desc = "armed first: that was not weakened")
    @Outcome(id = "1, silence", expect = ACCEPTABLE, desc = "added first: the poll finds it")
    @Outcome(id = "1, event", expect = ACCEPTABLE, desc = "added between: both")
    @Outcome(id = "0, silence", expect = FORBIDDEN, desc = "armed for all, polled, and never told")
    @Catches(value = "a CQ is armed without the lock", as = "0, silence")
    @Catches(value = "the arm is looked at before the completion is there", as = "0, silence")
    @State
    public static class SolicitedArmComplete {
        private final SoftCq cq = SoftCqRaces.cq(4);

        @Actor
        public void armAndPoll(LL_Result r) {
            cq.reqNotify(false);
            r.r1 = polled(poll(cq));
        }

        @Actor
        public void armSolicitedAndComplete(LL_Result r) {
            cq.reqNotify(true);
            r.r2 = event(add(cq, 7));
        }
    }

    /** A completion is polled while it is added, and then the data is read that it tells of. */
    @JCStressTest
    @Outcome(id = "nothing", expect = ACCEPTABLE, desc = "polled before")
    @Outcome(id = "whole", expect = ACCEPTABLE, desc = "the completion and the data behind it")
    @Outcome(id = "torn", expect = FORBIDDEN, desc = "a field is older than the completion")
    @Catches(value = "a completion is announced before it is written", as = "torn")
    @State
    public static class CompletePoll {
        private final SoftCq cq = SoftCqRaces.cq(4);
        private final MemorySegment wcs = room();
        private final byte[] data = new byte[1];

        @Actor
        public void complete() {
            data[0] = 42;
            add(cq, 7);
        }

        @Actor
        public void poll(L_Result r) {
            if (cq.poll(wcs, 0, 1) == 0) {
                r.r1 = "nothing";
            } else if (WcStruct.wrId(wcs, 0) != 7
                    || WcStruct.immData(wcs, 0) != IMM
                    || WcStruct.qpNum(wcs, 0) != QP_NUM) {
                r.r1 = "torn";
            } else {
                r.r1 = data[0] == 42 ? "whole" : "old";
            }
        }
    }

    /** Two threads poll one completion, or add one each to a CQ that is armed once. */
    @JCStressTest
    @Outcome(id = "1, 0|0, 1", expect = ACCEPTABLE, desc = "one of them got it")
    @Outcome(id = "event, silence|silence, event", expect = ACCEPTABLE, desc = "of the first one")
    @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "one completion was polled twice")
    @Outcome(id = "event, event", expect = FORBIDDEN, desc = "one arm gave two events")
    @Catches(value = "a completion is taken without the lock", as = "1, 1")
    @Catches(value = "a completion is added without the lock", as = "event, event")
    @State
    public static class TwoPollsOrAdds {
        private final SoftCq cq = SoftCqRaces.cq(4);
        private final boolean polls = ThreadLocalRandom.current().nextBoolean();

        public TwoPollsOrAdds() {
            if (polls) {
                add(cq, 7);
            } else {
                cq.reqNotify(false);
            }
        }

        private String pollOrAdd() {
            return polls ? polled(poll(cq)) : event(add(cq, 8));
        }

        @Actor
        public void first(LL_Result r) {
            r.r1 = pollOrAdd();
        }

        @Actor
        public void second(LL_Result r) {
            r.r2 = pollOrAdd();
        }
    }

    /** A full CQ is polled while one more completion comes. */
    @JCStressTest
    @Outcome(id = "overrun, 1, EIO", expect = ACCEPTABLE, desc = "polled, then the error")
    @Outcome(id = "added, 1, 1", expect = ACCEPTABLE, desc = "polled first: there was room")
    @Outcome(id = "overrun, .*, [01]", expect = FORBIDDEN, desc = "no thread hears of an overrun")
    @Catches(value = "a poll writes an overrun back", as = "overrun, .*, [01]")
    @State
    public static class Overrun {
        private final SoftCq cq = SoftCqRaces.cq(1);

        public Overrun() {
            add(cq, 7);
        }

        @Actor
        public void complete(LLL_Result r) {
            r.r1 = add(cq, 8) == SoftCq.OVERRUN ? "overrun" : "added";
        }

        @Actor
        public void poll(LLL_Result r) {
            r.r2 = polled(SoftCqRaces.poll(cq));
        }

        @Arbiter
        public void after(LLL_Result r) {
            r.r3 = polled(SoftCqRaces.poll(cq));
        }
    }

    /** The period of moderation passes while the completion comes that is due by count. */
    @JCStressTest
    @Outcome(id = "events: 1", expect = ACCEPTABLE, desc = "by the one or by the other")
    @Outcome(id = "events: 2", expect = FORBIDDEN, desc = "one arm gave two events")
    @Outcome(id = "events: 0", expect = FORBIDDEN, desc = "the arm gave no event")
    @Catches(value = "a delayed event is raised without the lock", as = "events: 2")
    @Catches(value = "a change of moderation forgets what waits", as = "events: 0")
    @State
    public static class ModerateComplete {
        private final AtomicInteger events = new AtomicInteger();
        private final SoftCq cq =
                new SoftCq(RaceQp.CONTEXT, 4, null, SoftFixture.told(events::incrementAndGet));

        public ModerateComplete() {
            cq.moderate(2, 0);
            cq.reqNotify(false);
            add(cq, 7);
        }

        @Actor
        public void end() {
            cq.moderate(3, 0); // as when the period has passed: what waits is told
        }

        @Actor
        public void complete() {
            if (add(cq, 8) == SoftCq.FIRED) {
                events.incrementAndGet();
            }
        }

        @Arbiter
        public void after(L_Result r) {
            r.r1 = "events: " + events;
        }
    }

    /** A queue pair of a strict device whose sends were executed, and not polled. */
    private static final class Sender {
        private static final SoftDevice DEVICE = SoftDevice.strict(SoftLimits.STRICT);
        private static final SoftContext CONTEXT = new SoftContext(DEVICE, (type, port) -> {});
        private static final SoftPd PD = new SoftPd(CONTEXT);
        private static final SendWr SEND = RaceQp.sendOfNothing(1);

        /** As many as the send queue has places. */
        private static final int PLACES = 4;

        private volatile CountDownLatch event = new CountDownLatch(1);
        private final RacePair pair;

        Sender(int sends) {
            CqListener sent = SoftFixture.told(() -> event.countDown());
            RaceQp peer = new RaceQp(CONTEXT, PD, RaceQp.DEAF, RaceQp.DEAF, null);
            pair = new RacePair(new RaceQp(CONTEXT, PD, sent, RaceQp.DEAF, null), peer, sends);
            for (int i = 0; i < sends; i++) {
                execute();
            }
        }

        /** Returns when the completion is there. */
        private void execute() {
            event = new CountDownLatch(1);
            int rc = pair.a.sends.reqNotify(false);
            if (rc != 0 || !post()) {
                throw new AssertionError("refused");
            }
            try {
                event.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        boolean post() {
            synchronized (SEND) {
                return pair.a.send(SEND);
            }
        }

        int poll() {
            return pair.a.sends.poll(room(), 0, 1);
        }
    }

    /** Two threads poll one completion each, of a queue that is full: then its places are free. */
    @JCStressTest
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "both places are free")
    @Outcome(id = "2, 1", expect = FORBIDDEN, desc = "the older position was written last")
    @Outcome(id = "2, 0", expect = FORBIDDEN, desc = "no place was freed")
    @Catches(value = "a place is freed without the lock", as = "2, 1")
    @Catches(value = "a completion that is polled frees no place", as = "2, 0")
    @State
    public static class TwoPollsFree {
        private final Sender sender = new Sender(Sender.PLACES);
        private final Meeting meeting = new Meeting();
        private int first;
        private int second;

        @Actor
        public void first() {
            meeting.await();
            first = sender.poll();
        }

        @Actor
        public void second() {
            meeting.await();
            second = sender.poll();
        }

        @Arbiter
        public void places(LL_Result r) {
            r.r1 = first + second;
            int places = 0;
            while (places <= Sender.PLACES && sender.post()) {
                places++;
            }
            r.r2 = places;
            sender.pair.end();
        }
    }
}
