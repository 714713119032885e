package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

import java.time.Duration;

/** Events of the API, on the embedded device. */
public class CqEventRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** Two threads close one event, while another event of the CQ is held. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the other event is unacknowledged")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the second close acknowledged the other event")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "no thread acknowledged the event")
    @Catches(value = "an event is acknowledged by a look and a write", as = "0")
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
}
