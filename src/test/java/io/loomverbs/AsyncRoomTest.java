package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.event.Ledger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** As many asynchronous events of one object as can be counted. */
@Timeout(60)
class AsyncRoomTest {
    private static final int CQ_ERR = 0;

    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.polled();
    private final Ledger ledger = (Ledger) cq.listener();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** A waiter is told of what was held back, as soon as there is room for it. */
    @Test
    void anAcknowledgementThatMakesRoomWakesAWaiter() throws Exception {
        cq.listener().asyncEvent(CQ_ERR);
        AsyncEvent held = f.context.getAsyncEvent(Fixture.PATIENCE);
        int others = 0;
        while (ledger.tryDeliverAsync()) {
            others++;
        }
        cq.listener().asyncEvent(CQ_ERR);
        Fixture.Task<AsyncEvent> waiter =
                f.start("async", () -> f.context.getAsyncEvent()).parked();
        held.close();
        try (AsyncEvent event = waiter.get()) {
            assertThat(event).isNotNull();
            assertThat(event.cq()).isSameAs(cq);
        }
        for (; others > 0; others--) {
            assertThat(ledger.tryAckAsync()).isNotZero();
        }
        assertThat(ledger.tryAckAsync()).isZero();
    }
}
