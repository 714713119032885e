package io.loomverbs.blocking;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.CompletionQueue;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.util.concurrent.ThreadLocalRandom;

/** A queue pair is reset under its requests. Each of them ends once, and gives its memory back. */
public class EndRaces {
    /** A send that its peer does not receive, and a receive; each direction has its CQ. */
    abstract static class Ended {
        private final CompletionQueue sends = SelfLink.direct();
        private final CompletionQueue receives = SelfLink.direct();
        private final QueuePair peer = SelfLink.queuePair(sends, receives);
        private final QueuePair qp = SelfLink.queuePair(sends, receives);
        private final BufferPool pool = SelfLink.pool(2);
        private final Buffer message = pool.tryTake();
        private final Request request;
        final Attachment link;

        Ended() {
            RequestsConfig config = RequestsConfig.of().withReceives(1, pool);
            Buffer[] ring = {pool.tryTake()};
            link = Attachment.of(qp, ring, Reservation.of(qp, config, qp.config()));
            peer.connect(qp.endpoint());
            qp.connect(peer.endpoint());
            request = link.send().take(Op.SEND);
            request.wr.send();
            message.describe(request, link);
        }

        final void send() {
            link.send().submit(request);
        }

        final void receive() {
            try {
                link.receive().start();
            } catch (VerbsException e) {
                // It was reset before.
            }
        }

        final void reset() {
            qp.modify(QpAttributes.builder().state(QpState.RESET).build());
        }

        final void look(LL_Result r) {
            link.audit(link.sends());
            link.audit(link.receives());
            message.close();
            r.r1 = link.send().outstanding() + " " + link.receive().outstanding();
            r.r2 = pool.available();
            if (r.toString().equals("0 0, 2")) { // else it would wait
                link.close();
                pool.close();
            }
            qp.close();
            peer.close();
            sends.close();
            receives.close();
        }
    }

    /** The leaders of both CQs find out. */
    @JCStressTest
    @Outcome(id = "0 0, 2", expect = ACCEPTABLE, desc = "both requests have ended")
    @Outcome(id = ".*, 1", expect = FORBIDDEN, desc = "the send's memory went back twice")
    @Catches(value = "a leader ends both sides", as = ".*, 1")
    @State
    public static class TwoLeaders extends Ended {
        public TwoLeaders() {
            send();
            receive();
            reset();
        }

        @Actor
        public void ofSends() {
            link.audit(link.sends());
        }

        @Actor
        public void ofReceives() {
            link.audit(link.receives());
        }

        @Arbiter
        public void result(LL_Result r) {
            look(r);
        }
    }

    /** A thread just posts the send or the receive. */
    @JCStressTest
    @Outcome(id = "0 0, 2", expect = ACCEPTABLE, desc = "it has ended, or was refused")
    @Outcome(id = "-1 .*", expect = FORBIDDEN, desc = "the send has ended twice")
    @Outcome(id = ".* -1, .*", expect = FORBIDDEN, desc = "the receive has ended twice")
    @Catches(value = "a send ends while it is posted", as = "-1 .*")
    @Catches(value = "a receive ends while it is posted", as = ".* -1, .*")
    @State
    public static class PostReset extends Ended {
        private final boolean sends = ThreadLocalRandom.current().nextBoolean();

        public PostReset() {
            post(!sends);
        }

        private void post(boolean send) {
            if (send) {
                send();
            } else {
                receive();
            }
        }

        @Actor
        public void post() {
            post(sends);
        }

        @Actor
        public void end() {
            reset();
            link.audit(sends ? link.sends() : link.receives());
        }

        @Arbiter
        public void result(LL_Result r) {
            look(r);
        }
    }
}
