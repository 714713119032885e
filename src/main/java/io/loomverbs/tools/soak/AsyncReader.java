package io.loomverbs.tools.soak;

import io.loomverbs.AsyncEvent;

import java.time.Duration;

/** Reads the context's asynchronous events, some of which come from queue pairs in error. */
final class AsyncReader implements SoakPart {
    private static final Duration TURN = Duration.ofMillis(50);

    @Override
    public String name() {
        return "async-events";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        boolean over;
        do {
            over = round.isOver(); // a last turn afterwards
            AsyncEvent event = round.context().getAsyncEvent(TURN);
            if (event != null) {
                event.close();
                over = false;
            }
        } while (!over);
    }
}
