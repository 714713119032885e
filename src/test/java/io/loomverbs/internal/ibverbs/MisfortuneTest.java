package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.ibverbs.HandMadeDevice.Made;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * The thread that reads all events runs out of memory just then: its own wait ends, the event that
 * it has read is not lost, and everything goes on.
 */
@Timeout(60)
class MisfortuneTest {
    private final Error error = new OutOfMemoryError("planted");
    private HandMadeDevice device;
    private Context context;
    private CompletionChannel first;
    private CompletionQueue firstCq;
    private Made firstMade;
    private CompletionChannel second;
    private CompletionQueue secondCq;
    private Made secondMade;

    @BeforeEach
    void open() throws Exception {
        device = HandMadeDevice.create();
        context = device.open();
        first = context.createCompChannel();
        firstCq = context.createCq(1, "first", first, 0);
        firstMade = device.last();
        second = context.createCompChannel();
        secondCq = context.createCq(1, "second", second, 0);
        secondMade = device.last();
    }

    @AfterEach
    void close() {
        firstCq.close();
        first.close();
        secondCq.close();
        second.close();
        assertThat(firstMade.acked()).isEqualTo(firstMade.written());
        assertThat(secondMade.acked()).isEqualTo(secondMade.written());
        context.close();
    }

    private static <T> FutureTask<T> start(Callable<T> call) throws InterruptedException {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofVirtual().start(task);
        Thread.sleep(50); // until it waits
        return task;
    }

    private static Object take(CompletionChannel channel) throws InterruptedException {
        try (CqEvent event = channel.getCqEvent()) {
            return event.cqContext();
        }
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
    }

    private void assertAllGoesOn() throws Exception {
        FutureTask<Object> one = start(() -> take(first));
        FutureTask<Object> two = start(() -> take(second));
        secondMade.event();
        assertThat(result(two)).isEqualTo("second");
        firstMade.event();
        assertThat(result(one)).isEqualTo("first");
    }

    @Test
    void anotherThreadsEventReachesItNevertheless() throws Exception {
        FutureTask<Object> leader = start(() -> take(first));
        FutureTask<Object> follower = start(() -> take(second));
        device.nextError = error;
        secondMade.event();
        assertThat(result(follower)).isEqualTo("second");
        assertThatThrownBy(() -> result(leader)).hasCause(error);
        assertAllGoesOn();
    }

    @Test
    void itsOwnEventIsThereForTheNext() throws Exception {
        FutureTask<Object> leader = start(() -> take(first));
        device.nextError = error;
        firstMade.event();
        assertThatThrownBy(() -> result(leader)).hasCause(error);
        assertThat(result(start(() -> take(first)))).isEqualTo("first");
        assertAllGoesOn();
    }

    /** A thread that does not wait meets it, and the next one finds the event. */
    @Test
    void whatATryMeetsIsItsOwn() throws Exception {
        device.nextError = error;
        firstMade.event();
        assertThatThrownBy(first::tryGetCqEvent).isSameAs(error);
        try (CqEvent event = first.tryGetCqEvent()) {
            assertThat(event.cqContext()).isEqualTo("first");
        }
        assertAllGoesOn();
    }

    @Test
    void asynchronousEventsAreNotLostEither() throws Exception {
        FutureTask<Object> leader = start(() -> take(first));
        FutureTask<AsyncEventType> async =
                start(
                        () -> {
                            try (AsyncEvent event = context.getAsyncEvent()) {
                                return event.type();
                            }
                        });
        device.nextError = error;
        device.asyncEvent(secondMade, Ibv.EVENT_CQ_ERR);
        assertThat(result(async)).isEqualTo(AsyncEventType.CQ_ERR);
        assertThatThrownBy(() -> result(leader)).hasCause(error);
        assertThat(secondMade.asyncAcked()).isEqualTo(1);
        FutureTask<Object> one = start(() -> take(first));
        firstMade.event();
        assertThat(result(one)).isEqualTo("first");
    }
}
