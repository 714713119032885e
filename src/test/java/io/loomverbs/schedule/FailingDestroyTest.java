package io.loomverbs.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.internal.device.Ibv;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A device that throws when it is to destroy a CQ, rather than say no. */
@Timeout(60)
class FailingDestroyTest {
    /** What came up during the close is delivered when it has failed, however it has failed. */
    @Test
    void theCqAndItsAsynchronousEventsAreAsBefore() throws Exception {
        ScriptedDevice device = ScriptedDevice.create();
        try (Context context = device.open()) {
            CompletionQueue cq = context.createCq(1, null, null, 0);
            ScriptedCq made = device.lastCreated();
            FutureTask<AsyncEvent> waiter =
                    new FutureTask<>(() -> context.getAsyncEvent(Duration.ofSeconds(20)));
            Thread thread = Thread.ofPlatform().start(waiter);
            while (thread.getState() != Thread.State.TIMED_WAITING) {
                assertThat(waiter).isNotDone();
                Thread.sleep(1);
            }
            made.onDestroy =
                    () -> {
                        made.listener.asyncEvent(Ibv.EVENT_CQ_ERR);
                        throw new IllegalStateException("the device is out of order");
                    };
            assertThatThrownBy(cq::close)
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessage("the device is out of order");
            try (AsyncEvent event = waiter.get(10, TimeUnit.SECONDS)) {
                assertThat(event.type()).isEqualTo(AsyncEventType.CQ_ERR);
            }
            made.onDestroy = () -> {};
            cq.close();
            assertThat(made.destroyed).isEqualTo(1);
        }
    }
}
