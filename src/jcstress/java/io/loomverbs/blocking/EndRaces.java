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
    /**
     * The leaders of both CQs find out, or one of them while a thread just posts the send or the
     * receive. The peer does not receive the send. Each direction has its CQ.
     */
    @JCStressTest
    @Outcome(id = "0 0, 2", expect = ACCEPTABLE, desc = "both have ended, or one was refused")
    @Outcome(id = ".*, 1", expect = FORBIDDEN, desc = "the send's memory went back twice")
    @Outcome(id = "-1 .*", expect = FORBIDDEN, desc = "the send has ended twice")
    @Outcome(id = ".* -1, .*", expect = FORBIDDEN, desc = "the receive has ended twice")
    @Catches(value = "a leader ends both sides", as = ".*, 1")
    @Catches(value = "a send ends while it is posted", as = "-1 .*")
    @Catches(value = "a receive ends while it is posted", as = ".* -1, .*")
    @State
    public static class PostReset {
        private final boolean posts = ThreadLocalRandom.current().nextBoolean();
        private final boolean sending = ThreadLocalRandom.current().nextBoolean();
        private final CompletionQueue sends = SelfLink.direct();
        private final CompletionQueue receives = SelfLink.direct();
        private final QueuePair peer = SelfLink.queuePair(sends, receives);
        private final QueuePair qp = SelfLink.queuePair(sends, receives);
        private final BufferPool pool = SelfLink.pool(2);
        private final Buffer message = pool.tryTake();
        private final Request request;
        private final Attachment link;

        public PostReset() {
            RequestsConfig config = RequestsConfig.of().withReceives(1, pool);
            Buffer[] ring = {pool.tryTake()};
            link = Attachment.of(qp, ring, Reservation.of(qp, config, qp.config()));
            peer.connect(qp.endpoint());
            qp.connect(peer.endpoint());
            request = link.send().take(Op.SEND);
            request.wr.send();
            message.describe(request, link);
            post(!sending);
            if (!posts) {
                post(sending);
                reset();
            }
        }

        private void post(boolean send) {
            if (send) {
                link.send().submit(request);
                return;
            }
            try {
                link.receive().start();
            } catch (VerbsException e) {
                // It was reset before.
            }
        }

        private void reset() {
            qp.modify(QpAttributes.builder().state(QpState.RESET).build());
        }

        private void audit(boolean send) {
            link.audit(send ? link.sends() : link.receives());
        }

        @Actor
        public void postOrAudit() {
            if (posts) {
                post(sending);
            } else {
                audit(sending);
            }
        }

        @Actor
        public void end() {
            if (posts) {
                reset();
            }
            audit(sending == posts);
        }

        @Arbiter
        public void look(LL_Result r) {
            audit(true);
            audit(false);
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
}
