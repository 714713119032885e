package io.loomverbs;

import static io.loomverbs.internal.event.Collected.assertCollected;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.event.Ledger;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.ref.WeakReference;
import java.time.Duration;

/** Asynchronous events at a limit: of a CQ that has too many, and of one that is closed. */
@Tag("device")
@Timeout(60)
class AsyncEventsTest {
    private static final int CQ_ERR = Ibv.EVENT_CQ_ERR;

    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.polled();
    private final Ledger ledger = (Ledger) cq.listener();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** A waiter gets an event that was held back as soon as it can be counted. */
    @Test
    void anAcknowledgementAtTheLimitWakesAWaiter() throws Exception {
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

    /** An asynchronous event that was not received goes with its CQ. */
    @Test
    void aDestroyedCqIsForgottenWithItsAsynchronousEvents() throws Exception {
        assertCollected(closedWithAnAsyncEvent());
        assertThat(f.context.getAsyncEvent(Duration.ZERO)).isNull();
    }

    private WeakReference<CompletionQueue> closedWithAnAsyncEvent() {
        CompletionQueue cq = f.context.createDirectCq(1);
        cq.listener().asyncEvent(CQ_ERR);
        cq.close();
        return new WeakReference<>(cq);
    }
}
