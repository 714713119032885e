package io.loomverbs.tools.soak;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.WorkCompletions;

import java.util.concurrent.atomic.AtomicInteger;

/** Acknowledges too many events: alone, and beside another thread. The CQ stays as it was. */
final class OverAcks implements SoakPart {
    private static final int PER_CQ = 50;

    @Override
    public String name() {
        return "over-acks";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        while (!round.isOver()) {
            try (CompletionQueue cq = round.context().createDirectCq(SoakPair.DEPTH);
                    SoakPair pair = new SoakPair(round.pd(), cq)) {
                for (int i = 0; i < PER_CQ && !round.isOver(); i++) {
                    overAck(round, cq, pair, i);
                }
            }
        }
    }

    private static void overAck(Round round, CompletionQueue cq, SoakPair pair, int wrId)
            throws InterruptedException {
        cq.reqNotify(false);
        pair.message(wrId);
        CqEvent event = cq.getCqEvent(Round.PATIENCE);
        if (event == null) {
            throw new IllegalStateException("no event of " + cq);
        }
        try (event) {
            Expect.refused("an ack of 2", () -> cq.ackEvents(2));
            Expect.that(cq.unackedEvents() == 1, "%d unacknowledged", cq.unackedEvents());
            if (wrId % 2 == 0) {
                event.close();
                Expect.refused("an ack of none", () -> cq.ackEvents(1));
            } else {
                race(round, cq);
                Expect.refused("the event's own ack", event::close);
            }
        }
        round.counts().add(SoakCounts.Kind.OVER_ACKS, 2);
        WorkCompletions batch = WorkCompletions.allocate(2);
        int n = cq.await(batch, 1, Round.PATIENCE);
        Expect.that(n == 1 && batch.wrId(0) == wrId, "message %d did not come", wrId);
        round.counts().add(SoakCounts.Kind.MESSAGES, 1);
    }

    /** Of two threads that acknowledge the one event, one is refused. */
    private static void race(Round round, CompletionQueue cq) throws InterruptedException {
        AtomicInteger acked = new AtomicInteger();
        Runnable ack =
                () -> {
                    try {
                        cq.ackEvents(1);
                        acked.incrementAndGet();
                    } catch (IllegalStateException e) {
                        // the other one was first
                    }
                };
        Thread other = Thread.ofVirtual().start(ack);
        ack.run();
        Expect.that(other.join(Round.PATIENCE), "an ack does not end");
        Expect.that(acked.get() == 1, "%d of two acks of one event", acked.get());
        Expect.that(!round.failures().isEmpty() || cq.unackedEvents() == 0, "acks were lost");
    }
}
