package io.loomverbs.tools.soak;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.WorkCompletions;

import java.time.Duration;

/** Opens contexts of the same device, passes a message in each, and closes them. */
final class Contexts implements SoakPart {
    private static final Duration PAUSE = Duration.ofMillis(20);

    @Override
    public String name() {
        return "contexts";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        do { // at least one, also where this thread first runs when the round is over
            try (Context context = round.context().device().open();
                    ProtectionDomain pd = context.allocPd();
                    CompletionQueue cq = context.createDirectCq(SoakPair.DEPTH);
                    SoakPair pair = new SoakPair(pd, cq)) {
                pair.message(1);
                int n = cq.await(WorkCompletions.allocate(2), 1, Round.PATIENCE);
                Expect.that(n == 1, "no message in another context");
                round.counts().add(SoakCounts.Kind.MESSAGES, 1);
                round.counts().add(SoakCounts.Kind.CONTEXTS, 1);
            }
        } while (!round.awaitEnd(PAUSE));
    }
}
