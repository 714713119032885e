package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

import java.time.Duration;

/** Events of the API, on the embedded device. */
public class CqEventRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** An event whose close looks whether it is acknowledged, then acknowledges. */
    static final class CheckingEvent {
        private final CompletionQueue cq;
        private volatile boolean acked;

        CheckingEvent(CqEvent event) {
            this.cq = event.cq();
        }

        void close() {
            if (!acked) {
                acked = true;
                cq.ackEvents(1);
            }
        }
    }

    /** Two threads close one event, while another event of the CQ is held. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the other event is unacknowledged")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the second close acknowledged the other event")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "nobody acknowledged the event")
    @State
    public static class TwoCloses {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);
        private final CqEvent other;
        private final CqEvent event;

        public TwoCloses() {
            cq.listener().completionEvent();
            cq.listener().completionEvent();
            other = cq.tryGetCqEvent();
            event = cq.tryGetCqEvent();
        }

        @Actor
        public void first() {
            event.close();
        }

        @Actor
        public void second() {
            event.close();
        }

        @Arbiter
        public void unacked(L_Result r) {
            int unacked = cq.unackedEvents();
            r.r1 = unacked;
            if (unacked == 1) {
                other.close();
            }
            cq.close(Duration.ZERO);
        }
    }

    /** The close looks whether the event is acknowledged, then acknowledges. */
    @JCStressTest
    @JCStressMeta(TwoCloses.class)
    @State
    public static class TwoClosesBrokenTwin {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);
        private final CqEvent other;
        private final CheckingEvent event;

        public TwoClosesBrokenTwin() {
            cq.listener().completionEvent();
            cq.listener().completionEvent();
            other = cq.tryGetCqEvent();
            event = new CheckingEvent(cq.tryGetCqEvent());
        }

        @Actor
        public void first() {
            event.close();
        }

        @Actor
        public void second() {
            event.close();
        }

        @Arbiter
        public void unacked(L_Result r) {
            int unacked = cq.unackedEvents();
            r.r1 = unacked;
            if (unacked == 1) {
                other.close();
            }
            cq.close(Duration.ZERO);
        }
    }
}
