package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.event.Meeting;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.util.concurrent.CountDownLatch;

/** The strict device: the place of a request is free once its completion was polled. */
public class StrictRaces {
    private static final SoftDevice DEVICE = SoftDevice.strict(SoftLimits.STRICT);
    private static final SoftContext CONTEXT = new SoftContext(DEVICE, (type, port) -> {});
    private static final SoftPd PD = new SoftPd(CONTEXT);

    /** As many as the send queue has places. */
    private static final int PLACES = 4;

    private static final SendWr SEND = RaceQp.sendOfNothing(1);

    /** A queue pair whose sends were executed, and not polled. */
    private static final class Sender {
        private volatile CountDownLatch event = new CountDownLatch(1);
        private final RacePair pair;

        Sender(int sends) {
            RaceQp qp = new RaceQp(CONTEXT, PD, SoftFixture.told(() -> event.countDown()));
            pair = new RacePair(qp, new RaceQp(CONTEXT, PD, RaceQp.DEAF), sends);
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
            return pair.a.sends.poll(SoftCqRaces.room(), 0, 1);
        }
    }

    /** Two threads poll one completion each, of a queue that is full. */
    @JCStressTest
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "both places are free")
    @Outcome(id = "2, 1", expect = FORBIDDEN, desc = "the older position was written last")
    @Outcome(id = "2, 0", expect = FORBIDDEN, desc = "no place was freed")
    @Outcome(id = ".*", expect = FORBIDDEN, desc = "a completion was lost, or came twice")
    @Catches(value = "a place is freed without the lock", as = "2, 1")
    @Catches(value = "a completion that is polled frees no place", as = "2, 0")
    @State
    public static class TwoPollsFree {
        private final Sender sender = new Sender(PLACES);
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
            while (places <= PLACES && sender.post()) {
                places++;
            }
            r.r2 = places;
            sender.pair.end();
        }
    }
}
