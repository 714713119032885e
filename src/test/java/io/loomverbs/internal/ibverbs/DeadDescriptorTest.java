package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.event.LedQueue;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ibverbs.HandMadeDevice.Made;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The other end of a descriptor is gone, and the read of it does not say so. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeadDescriptorTest {
    private static final int TIMES = 10;

    /** read(2) leaves errno as it was, and libibverbs takes it for the cause. */
    @Test
    void theEndIsToldWhateverAnEarlierCallLeftInErrno() throws Exception {
        for (int i = 0; i < TIMES; i++) {
            HandMadeDevice device = HandMadeDevice.create();
            try (Context of = device.open();
                    CompletionChannel channel = of.createCompChannel();
                    CompletionQueue _ = of.createCq(1, null, channel, 0)) {
                Made made = device.last();
                assertThat(channel.tryGetCqEvent()).isNull(); // EAGAIN
                Posix.close(made.channel().ends().write());
                assertThatThrownBy(() -> channel.getCqEvent(Duration.ofSeconds(20)))
                        .isInstanceOf(VerbsException.class);
            }
        }
    }

    /** A descriptor whose reads end with an errno. */
    private static final class Failing extends FdEventFeed {
        private final int errno;
        private final AtomicInteger reads = new AtomicInteger();

        Failing(Poller poller, int fd, int errno) {
            super(poller, fd);
            this.errno = errno;
        }

        @Override
        int read() {
            reads.incrementAndGet();
            return -errno;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EAGAIN, Errno.EINTR})
    void aReadIsNotRepeatedUntilErrnoChanges(int errno) throws Exception {
        HandMadeDevice.assumeLibrary();
        Posix.Ends ends = Posix.pipe();
        Poller poller = new Poller(new SchedulerCarriers(), "dead");
        Failing feed = new Failing(poller, ends.read(), errno);
        feed.join();
        Posix.close(ends.write());
        assertThat(poller.await(Long.MAX_VALUE, () -> true)).isZero();
        assertThat(feed.reads.get()).isEqualTo(1);
        assertThat(poller.await(0, () -> true)).as("the descriptor is reported again").isZero();
        assertThat(feed.reads.get()).isEqualTo(1);
        poller.release();
        Posix.close(ends.read());
    }

    /** What a queue is told by, and where it meets an Error once it was told. */
    private static final class Unlucky implements EventFeed {
        private final FdEventFeed feed;
        private final Error error;

        Unlucky(FdEventFeed feed, Error error) {
            this.feed = feed;
            this.error = error;
        }

        @Override
        public Leadership leadership() {
            return feed.leadership();
        }

        @Override
        public void attach(LedQueue queue) {
            feed.attach(queue);
        }

        @Override
        public void detach(LedQueue queue) {
            feed.detach(queue);
            throw error;
        }

        @Override
        public void join() {}

        @Override
        public void leave() {}

        @Override
        public boolean fetch() {
            return false;
        }
    }

    @Test
    void aQueueThatCannotBeToldDoesNotKeepItFromOthers() throws Exception {
        HandMadeDevice.assumeLibrary();
        Posix.Ends ends = Posix.pipe();
        Poller poller = new Poller(new SchedulerCarriers(), "dead");
        FdEventFeed feed = new Failing(poller, ends.read(), Errno.EIO);
        Error error = new OutOfMemoryError("planted");
        List<EventQueue> queues = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            queues.add(EventQueue.shared(new Unlucky(feed, error)));
        }
        assertThatThrownBy(feed::fetch).isSameAs(error);
        assertThat(queues)
                .allSatisfy(
                        queue ->
                                assertThatThrownBy(queue::tryTake)
                                        .isInstanceOf(EventQueueEndedException.class));
        poller.release();
        Posix.close(ends.write());
        Posix.close(ends.read());
    }

    /** A leader in the kernel would not see the event that is left over. */
    @Test
    void aThreadThatLeavesAnEventWakesTheLeader() throws Exception {
        AtomicInteger wakes = new AtomicInteger();
        HandMadeDevice device =
                HandMadeDevice.create(
                        () ->
                                new Poller(new SchedulerCarriers(), "dead") {
                                    @Override
                                    public void wake() {
                                        wakes.incrementAndGet();
                                        super.wake();
                                    }
                                });
        Context context = device.open();
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        device.nextError = new OutOfMemoryError("planted");
        made.event();
        assertThatThrownBy(channel::tryGetCqEvent).isInstanceOf(OutOfMemoryError.class);
        assertThat(wakes).hasPositiveValue();
        channel.getCqEvent(Duration.ofSeconds(20)).close();
        cq.close();
        channel.close();
        Posix.close(made.channel().ends().write());
        context.close();
    }
}
