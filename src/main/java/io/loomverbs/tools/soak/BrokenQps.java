package io.loomverbs.tools.soak;

import io.loomverbs.CompletionQueue;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

/**
 * Queue pairs that go to the error state: by a call, or because a request accesses memory that it
 * must not access. Each posted receive is flushed, once and in order.
 */
final class BrokenQps implements SoakPart {
    private static final int RECEIVES = 8;

    @Override
    public String name() {
        return "broken-qps";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        boolean byRequest = false;
        while (!round.isOver()) {
            breakOne(round, byRequest);
            byRequest = !byRequest;
        }
    }

    private static void breakOne(Round round, boolean byRequest) throws InterruptedException {
        try (CompletionQueue cq = round.context().createDirectCq(2 * SoakPair.DEPTH);
                SoakPair pair = new SoakPair(round.pd(), cq)) {
            WorkCompletions batch = WorkCompletions.allocate(RECEIVES);
            pair.message(0);
            int first = cq.await(batch, 1, Round.PATIENCE);
            Expect.that(first == 1 && batch.status(0) == WcStatus.SUCCESS, "no first message");
            for (int i = 0; i < RECEIVES; i++) {
                pair.postRecv(i);
            }
            if (byRequest) {
                writeWhereNothingIs(pair);
            }
            pair.b.modify(QpAttributes.builder().state(QpState.ERR).build());
            for (int next = 0; next < RECEIVES; ) {
                int n = cq.await(batch, 1, Round.PATIENCE);
                Expect.that(n > 0, "%d of %d receives were flushed", next, RECEIVES);
                for (int i = 0; i < n; i++) {
                    Expect.that(
                            batch.wrId(i) == next && batch.status(i) == WcStatus.WR_FLUSH_ERR,
                            "receive %d was to be flushed next, not %s",
                            next,
                            batch.get(i));
                    next++;
                }
            }
            round.counts().add(SoakCounts.Kind.BROKEN_QPS, byRequest ? 2 : 1);
            round.counts().add(SoakCounts.Kind.MESSAGES, 1);
        }
    }

    /** No access was granted, so this fails, and takes the sender's queue pair to ERR. */
    private static void writeWhereNothingIs(SoakPair pair) throws InterruptedException {
        pair.a.postSend(pair.send().wrId(-1).rdmaWrite(8, 8).sge(pair.memory(), 0, 8).signaled());
        WorkCompletions batch = WorkCompletions.allocate(2);
        while (true) {
            int n = pair.sends().await(batch, 1, Round.PATIENCE);
            Expect.that(n > 0, "a WRITE without access does not end");
            for (int i = 0; i < n; i++) {
                if (batch.wrId(i) == -1) {
                    Expect.that(
                            batch.status(i) != WcStatus.SUCCESS, "a WRITE without access succeeds");
                    return;
                }
            }
        }
    }
}
