package io.loomverbs.tools.soak;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Handlers that take their time and fail now and then, and closes that have to wait for events, or
 * give up.
 */
final class SlowHandlers implements SoakPart {
    private static final int MESSAGES = 8;
    private static final int SLOW_MILLIS = 10;

    @Override
    public String name() {
        return "slow-handlers";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        while (!round.isOver()) {
            serve(round);
            closeUnderEvent(round);
        }
    }

    /** A handler's failure ends neither its thread nor the next batch. */
    private static void serve(Round round) throws InterruptedException {
        AtomicInteger handled = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        try (CompletionQueue cq = round.context().createDirectCq(SoakPair.DEPTH);
                SoakPair pair = new SoakPair(round.pd(), cq)) {
            Serving serving =
                    Serving.of(
                                    cq,
                                    batch -> {
                                        Thread.sleep(
                                                ThreadLocalRandom.current().nextInt(SLOW_MILLIS));
                                        handled.addAndGet(batch.size());
                                        round.counts().add(SoakCounts.Kind.SLOW_BATCHES, 1);
                                        if (handled.get() % 2 == 0) {
                                            throw new PlannedException();
                                        }
                                    },
                                    FailurePolicy.REPORT)
                            .start(
                                    Thread.ofVirtual()
                                            .name("soak-slow")
                                            .uncaughtExceptionHandler(
                                                    (t, e) -> failed(round, failed, e))
                                            .factory());
            for (int i = 0; i < MESSAGES; i++) {
                pair.message(i);
            }
            long deadline = System.nanoTime() + Round.PATIENCE.toNanos();
            while (handled.get() < MESSAGES && System.nanoTime() < deadline) {
                Thread.sleep(1);
            }
            Expect.that(handled.get() == MESSAGES, "%d of %d handled", handled.get(), MESSAGES);
            Expect.that(serving.stop(Round.PATIENCE), "%s does not stop", serving);
            Expect.that(failed.get() > 0, "the handler's failure was reported to nobody");
            round.counts().add(SoakCounts.Kind.MESSAGES, MESSAGES);
        }
    }

    private static void failed(Round round, AtomicInteger failed, Throwable cause) {
        if (cause instanceof PlannedException) {
            failed.incrementAndGet();
        } else {
            round.fail("a handler: " + cause);
        }
    }

    /** A close gives up while a thread holds an event, and the CQ works on; then it waits. */
    private static void closeUnderEvent(Round round) throws InterruptedException {
        CompletionQueue cq = round.context().createDirectCq(SoakPair.DEPTH);
        CqEvent event;
        try (SoakPair pair = new SoakPair(round.pd(), cq)) {
            cq.reqNotify(false);
            pair.message(1);
            event = cq.getCqEvent(Round.PATIENCE);
        }
        if (event == null) {
            throw new IllegalStateException("no event of " + cq);
        }
        try {
            cq.close(Duration.ofMillis(1));
            throw new IllegalStateException("closed under an event: " + cq);
        } catch (VerbsException e) {
            round.counts().add(SoakCounts.Kind.TIMEOUTS, 1);
        }
        Expect.that(cq.poll(WorkCompletions.allocate(2)) <= 1, "more than was sent");
        Thread slow =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        Thread.sleep(ThreadLocalRandom.current().nextInt(5));
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                    event.close();
                                });
        cq.close(Round.PATIENCE);
        slow.join();
    }

    /** Thrown by the handler on purpose. */
    private static final class PlannedException extends Exception {
        private static final long serialVersionUID = 1;

        PlannedException() {
            super("planned", null, false, false);
        }
    }
}
