package io.loomverbs.tools.soak;

import io.loomverbs.WaitStrategy;
import io.loomverbs.tools.storm.Storm;
import io.loomverbs.tools.storm.StormDelivery;
import io.loomverbs.tools.storm.StormPlan;
import io.loomverbs.tools.storm.StormResult;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A storm with churn, each round with another kind of delivery and of waiting. */
final class StormPart implements SoakPart {
    private static final int MAX_CHANNELS = 16;
    private static final int CHURN = 10;
    private static final int MIN_CHURN = 20;
    private static final int WINDOW = 2;
    private static final int BYTES = 64;

    private final int cqs;

    StormPart(int cqs) {
        this.cqs = cqs;
    }

    private record Kind(StormDelivery delivery, @Nullable WaitStrategy strategy) {}

    private static final List<Kind> KINDS =
            List.of(
                    new Kind(StormDelivery.DIRECT, null),
                    new Kind(StormDelivery.CHANNEL, null),
                    new Kind(StormDelivery.DIRECT, WaitStrategy.ADAPTIVE),
                    new Kind(StormDelivery.DIRECT, WaitStrategy.EVENTS));

    @Override
    public String name() {
        return "storm";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        Kind kind = KINDS.get(round.number() % KINDS.size());
        StormPlan plan =
                new StormPlan(
                        cqs,
                        kind.delivery(),
                        kind.strategy(),
                        Math.min(MAX_CHANNELS, cqs),
                        round.duration(),
                        WINDOW,
                        BYTES,
                        Math.max(MIN_CHURN, cqs / CHURN));
        Storm storm = new Storm(round.context(), plan, false);
        round.start(
                Thread.ofVirtual(),
                "storm-end",
                () -> {
                    round.awaitEnd();
                    storm.stop();
                    return null;
                });
        StormResult result = storm.run();
        round.counts().add(SoakCounts.Kind.MESSAGES, result.messages());
        round.counts().add(SoakCounts.Kind.DESTROYED, result.destroyed());
        Expect.that(result.isGood(), "%s", describe(result));
    }

    private static String describe(StormResult result) {
        return "lost "
                + result.lost()
                + ", duplicated "
                + result.duplicated()
                + ", corrupted "
                + result.corrupted()
                + ", unacknowledged "
                + result.unacked()
                + ", handlers at work "
                + result.handlers()
                + " of "
                + result.plan().cqs()
                + ", failures "
                + result.failures();
    }
}
