package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.internal.ibverbs.HandMadeDevice.Made;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Memory runs out when a descriptor is to be taken out of the epoll set. */
@Timeout(60)
class UnregisterWithoutMemoryTest {
    private final Error error = new OutOfMemoryError("planted");
    private volatile @Nullable Error next;
    private HandMadeDevice device;
    private Context context;
    private CompletionChannel channel;
    private CompletionQueue cq;
    private Made made;

    /** Calls of its epoll set meet an Error, once. */
    private final class Meagre extends Poller {
        Meagre() {
            super(new SchedulerCarriers(), "meagre-poller");
        }

        @Override
        Epoll epoll() {
            Error met = next;
            if (met != null) {
                next = null;
                throw met;
            }
            return super.epoll();
        }
    }

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create(Meagre::new);
        context = device.open();
        channel = context.createCompChannel();
        cq = context.createCq(1, null, channel, 0);
        made = device.last();
    }

    private FutureTask<CqEvent> waiter() throws InterruptedException {
        FutureTask<CqEvent> task = new FutureTask<>(channel::getCqEvent);
        Thread.ofVirtual().start(task);
        Thread.sleep(50); // until it waits
        return task;
    }

    @Test
    void aCloseThatMeetsItChangesNothing() throws Exception {
        FutureTask<CqEvent> waiter = waiter();
        IbvChannel ops = made.channel().ops();
        next = error;
        assertThatThrownBy(() -> ops.close(() -> -Errno.EBUSY)).isSameAs(error);
        made.event();
        waiter.get(20, TimeUnit.SECONDS).close();
        cq.close();
        channel.close();
        Posix.close(made.channel().ends().write());
        context.close();
    }

    /** The channel is open again, and threads that wait for its events get them. */
    @Test
    void aRefusedCloseThatMeetsItLeavesNobodyWaiting() throws Exception {
        FutureTask<CqEvent> waiter = waiter();
        IbvChannel ops = made.channel().ops();
        assertThatThrownBy(
                        () ->
                                ops.close(
                                        () -> {
                                            next = error;
                                            return -Errno.EBUSY;
                                        }))
                .isSameAs(error);
        made.event();
        waiter.get(20, TimeUnit.SECONDS).close();
        cq.close();
        channel.close();
        Posix.close(made.channel().ends().write());
        context.close();
    }

    /** The thread that reads gets the Error, and all others are told of the failure. */
    @Test
    void aFailureThatMeetsItIsToldNevertheless() throws Exception {
        FutureTask<CqEvent> leader = waiter();
        FutureTask<CqEvent> follower = waiter();
        next = error;
        Posix.close(made.channel().ends().write());
        assertThatThrownBy(() -> leader.get(20, TimeUnit.SECONDS)).hasCause(error);
        assertThatThrownBy(() -> follower.get(20, TimeUnit.SECONDS))
                .hasCauseInstanceOf(VerbsException.class);
        assertThat(next).isNull();
        cq.close();
        channel.close();
        context.close();
    }
}
