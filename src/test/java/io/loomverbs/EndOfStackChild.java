package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;

/** A JVM whose threads acknowledge events at the end of their stacks. */
public final class EndOfStackChild {
    /** Frames at the end of the stack from each of which it is tried. */
    private static final int FRAMES = 300;

    private static final int WARM_UP = 30_000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final IntConsumer attempt;
    private int attempts;
    private int overflows;

    private EndOfStackChild(IntConsumer attempt) {
        this.attempt = attempt;
    }

    /** Acknowledges in vain, then in ways that succeed where there is stack for it. */
    public static void main(String[] args) throws Exception {
        Context context = Verbs.device("soft0").open();
        CompletionQueue cq = context.createDirectCq(1);
        for (int i = 0; i < WARM_UP; i++) {
            take(cq).close();
        }
        take(cq);
        take(cq);
        acknowledgeThree(cq);
        atTheEnd(_ -> acknowledgeThree(cq));
        System.out.println(cq.unackedEvents() + " unacknowledged after acknowledging too many");
        cq.ackEvents(2);
        List<CqEvent> events = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            events.add(take(cq));
        }
        atTheEnd(i -> events.get(i).close());
        events.forEach(CqEvent::close);
        System.out.println(cq.unackedEvents() + " unacknowledged after closing events");
        List<AsyncEvent> asyncEvents = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            asyncEvents.add(takeAsync(context, cq));
        }
        atTheEnd(i -> asyncEvents.get(i).close());
        asyncEvents.forEach(AsyncEvent::close);
        System.out.println(
                cq.ledger().outstandingAsync()
                        + " unacknowledged after closing asynchronous events");
        duringAClose(context, cq);
        serving(context);
        cq.close(PATIENCE);
        context.close();
    }

    /** An acknowledgement has more to do then. */
    private static void duringAClose(Context context, CompletionQueue cq) throws Exception {
        List<CqEvent> events = new ArrayList<>();
        List<AsyncEvent> asyncEvents = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            events.add(take(cq));
            asyncEvents.add(takeAsync(context, cq));
        }
        Thread closer = new Thread(() -> cq.close(PATIENCE.multipliedBy(10)));
        closer.start();
        while (!cq.ledger().isClosing()) {
            Thread.sleep(1);
        }
        atTheEnd(i -> events.get(i).close());
        events.forEach(CqEvent::close);
        atTheEnd(i -> asyncEvents.get(i).close());
        asyncEvents.forEach(AsyncEvent::close);
        closer.join(PATIENCE);
        System.out.println(
                cq.ledger().outstandingAsync()
                        + (closer.isAlive() ? ", and it hangs" : " unacknowledged after a close"));
    }

    /** A channel that could not be served can be served later. */
    private static void serving(Context context) throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Serving serving = Serving.of(channel, (_, _) -> {}, FailurePolicy.REPORT);
        int[] kept = {0};
        IntConsumer attempt =
                _ -> {
                    try {
                        channel.lendTo(serving);
                        channel.served(serving);
                    } catch (IllegalStateException e) {
                        kept[0]++;
                    }
                };
        attempt.accept(0);
        atTheEnd(attempt);
        System.out.println(kept[0] + " attempts to serve found a channel that is served");
        cq.close(PATIENCE);
        channel.close();
    }

    private static AsyncEvent takeAsync(Context context, CompletionQueue cq)
            throws InterruptedException {
        context.asyncEvents().raise(Ibv.EVENT_CQ_ERR, cq, cq.ledger());
        return context.getAsyncEvent();
    }

    private static CqEvent take(CompletionQueue cq) {
        cq.ledger().raise();
        return Objects.requireNonNull(cq.tryGetCqEvent());
    }

    private static void acknowledgeThree(CompletionQueue cq) {
        try {
            cq.ackEvents(3);
        } catch (IllegalStateException tooMany) {
            return;
        }
        throw new AssertionError("3 of 2 events were acknowledged");
    }

    private static void atTheEnd(IntConsumer attempt) throws InterruptedException {
        EndOfStackChild child = new EndOfStackChild(attempt);
        Thread thread = new Thread(child::fall);
        thread.start();
        thread.join();
        if (child.overflows == 0 || child.overflows >= FRAMES || child.attempts != FRAMES) {
            throw new AssertionError(
                    child.overflows + " of " + child.attempts + " attempts had no stack");
        }
    }

    @SuppressWarnings("InfiniteRecursion") // to the end of the stack
    private void fall() {
        try {
            fall();
        } catch (StackOverflowError end) {
            // From here up it is tried.
        }
        if (attempts < FRAMES) {
            int i = attempts++;
            try {
                attempt.accept(i);
            } catch (StackOverflowError e) {
                overflows++;
            }
        }
    }
}
