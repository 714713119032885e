package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.event.StubQueue;
import io.loomverbs.internal.ffi.Epoll;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;

/** What a descriptor keeps of an Error, of its waiters and of its number, step by step. */
@Timeout(60)
class FdEventFeedTest {
    private final Error error = new OutOfMemoryError("planted");
    private @Nullable Error nextOfEpoll;
    private int wakes;

    /** Of further descriptors in the set: 0 for none. */
    private int refusal;

    private Watched poller;
    private Posix.Ends ends;
    private Counted feed;

    private final class Watched extends Poller {
        private long lastId;

        Watched() {
            super(new SchedulerCarriers(), "watched");
        }

        @Override
        Epoll epoll() {
            Error met = nextOfEpoll;
            if (met != null) {
                nextOfEpoll = null;
                throw met;
            }
            return super.epoll();
        }

        @Override
        int watch(int fd, long id) {
            return refusal != 0 ? -refusal : super.watch(fd, id);
        }

        @Override
        long add(FdEventFeed fd) {
            lastId = super.add(fd);
            return lastId;
        }

        @Override
        public void wake() {
            wakes++;
            super.wake();
        }
    }

    /** Reads nothing, and counts how often. */
    private static final class Counted extends FdEventFeed {
        private int reads;
        private int errno = Errno.EAGAIN;
        private @Nullable Error next;

        Counted(Poller poller, int fd) {
            super(poller, fd);
        }

        @Override
        int read() {
            Error met = next;
            if (met != null) {
                next = null;
                throw met;
            }
            reads++;
            return -errno;
        }
    }

    @BeforeEach
    void open() throws IOException {
        HandMadeDevice.assumeLibrary();
        ends = Posix.pipe();
        poller = new Watched();
        feed = new Counted(poller, ends.read());
    }

    @AfterEach
    void close() {
        if (poller != null) {
            poller.release();
            Posix.close(ends.write());
            Posix.close(ends.read());
        }
    }

    /** What the next leader does, which finds the events that there are and does not wait. */
    private void lead() {
        assertThat(poller.await(0, () -> true)).isZero();
    }

    private void event() {
        Posix.write(ends.write(), 1);
    }

    /** Else events would be read for a thread that does not wait. */
    @Test
    void aThreadThatCannotJoinDoesNotCount() {
        nextOfEpoll = error;
        assertThatThrownBy(feed::join).isSameAs(error);
        feed.arm();
        event();
        lead();
        assertThat(feed.reads).isZero();
    }

    /** The set would not report the descriptor: its pipe is empty. */
    @Test
    void aDescriptorThatWasReadyIsReadFirst() {
        feed.errno = 0;
        feed.join();
        event();
        assertThat(poller.await(0, () -> feed.reads == 0)).isOne();
        Posix.read(ends.read());
        for (int n = 0; n < EarlyReads.SHORTEST; n++) {
            lead();
        }
        for (int n = 0; n < EarlyReads.MOST; n++) {
            int before = feed.reads;
            assertThat(poller.await(0, () -> feed.reads == before)).isOne();
        }
        lead(); // asks the set now and then
        int before = feed.reads;
        assertThat(poller.await(0, () -> feed.reads == before)).isOne();
        feed.leave();
        lead(); // no thread waits for it
    }

    /** A leader has looked for what is left over while the descriptor had no number. */
    @Test
    void whatIsLeftOverIsFoundOnceThereIsANumber() {
        feed.next = error;
        assertThatThrownBy(feed::fetch).isSameAs(error);
        lead();
        assertThat(feed.reads).isZero();
        feed.join();
        lead();
        assertThat(feed.reads).isOne();
    }

    /** It meets a second Error. */
    @Test
    void whatIsLeftOverStaysSoAfterAnotherError() {
        feed.join();
        assertThatThrownBy(
                        () ->
                                feed.close(
                                        () -> {
                                            nextOfEpoll = error;
                                            return -Errno.EBUSY;
                                        }))
                .isSameAs(error);
        nextOfEpoll = error;
        assertThatThrownBy(this::lead).isSameAs(error);
        lead();
        int reads = feed.reads;
        event();
        lead();
        assertThat(feed.reads).as("it is armed").isGreaterThan(reads);
    }

    /**
     * A reader meets the failure, and an Error when it is to take the descriptor out of the set.
     */
    @Test
    void aFailureThatIsLeftOverIsToldByTheNextLeader() {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        feed.join();
        feed.errno = Errno.EIO;
        nextOfEpoll = error;
        assertThatThrownBy(feed::fetch).isSameAs(error);
        assertThat(queue.told).isZero();
        lead();
        assertThat(queue.told).isPositive();
    }

    /** The leader that is to disarm it meets an Error: a thread that waits later has its event. */
    @Test
    void aDescriptorThatCannotBeDisarmedStays() {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        feed.join();
        feed.leave();
        event();
        nextOfEpoll = error;
        assertThatThrownBy(this::lead).isSameAs(error);
        assertThat(queue.told).as("the end").isZero();
        feed.join();
        int reads = feed.reads;
        lead();
        assertThat(feed.reads).isGreaterThan(reads);
        assertThat(queue.told).isZero();
    }

    /** The next leader tells it, and is in the kernel meanwhile. */
    @Test
    void aQueueThatCouldNotBeToldIsToldLater() {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        feed.join();
        feed.errno = Errno.EIO;
        queue.next = error;
        assertThatThrownBy(feed::fetch).isSameAs(error);
        assertThat(queue.told).isZero();
        assertThat(wakes).isPositive();
        lead();
        assertThat(queue.told).isPositive();
    }

    /** It is not read any more, though the threads that waited have not left yet. */
    @Test
    void aFailedDescriptorStaysSoWithWaitersLeft() {
        StubQueue early = new StubQueue();
        feed.attach(early);
        feed.join();
        feed.errno = Errno.EIO;
        event();
        lead();
        assertThat(early.told).isPositive();
        int reads = feed.reads;
        lead();
        feed.arm();
        lead();
        assertThat(feed.close(() -> -Errno.EBUSY)).isEqualTo(-Errno.EBUSY);
        lead();
        assertThat(feed.fetch()).isFalse();
        assertThat(feed.reads).isEqualTo(reads);
        StubQueue late = new StubQueue();
        feed.attach(late);
        assertThat(late.told).isOne();
        feed.join();
        assertThat(late.told).as("a thread that comes to wait").isEqualTo(2);
        feed.leave();
        feed.leave();
    }

    /** Of watches, say, there are more later: only the thread that wants to wait now is told. */
    @ParameterizedTest
    @ValueSource(ints = {Errno.ENOSPC, Errno.ENOMEM})
    void aRefusalThatPassesEndsOneWait(int errno) {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        refusal = errno;
        assertThatThrownBy(feed::join)
                .isInstanceOf(EventQueueEndedException.class)
                .cause()
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(errno));
        assertThat(queue.told).isZero();
        refusal = 0;
        feed.join();
        event();
        lead();
        assertThat(feed.reads).isOne();
        assertThat(queue.told).isZero();
    }

    /** It is tried again, for the threads that wait already. */
    @Test
    void aRefusalThatPassesIsLeftOverWhereNoThreadJoins() {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        feed.join();
        refusal = Errno.ENOSPC;
        assertThat(feed.close(() -> -Errno.EBUSY)).isEqualTo(-Errno.EBUSY);
        assertThat(wakes).isPositive();
        lead();
        lead();
        refusal = 0;
        lead();
        int reads = feed.reads;
        event();
        lead();
        assertThat(feed.reads).as("it is armed").isGreaterThan(reads);
        assertThat(queue.told).isZero();
    }

    /** What does not pass is a failure. */
    @Test
    void anotherRefusalEndsTheQueues() {
        StubQueue queue = new StubQueue();
        feed.attach(queue);
        refusal = Errno.EPERM;
        feed.join();
        assertThat(queue.told).isPositive();
    }

    /** The number of a destroyed descriptor finds nothing, whether it had failed or not. */
    @Test
    void aDestroyedDescriptorHasNoNumber() {
        feed.join();
        assertThat(poller.find(poller.lastId)).isSameAs(feed);
        assertThat(feed.close(() -> -Errno.EBUSY)).isEqualTo(-Errno.EBUSY);
        assertThat(poller.find(poller.lastId)).isSameAs(feed);
        feed.errno = Errno.EIO;
        assertThat(feed.fetch()).isFalse();
        assertThat(feed.close(() -> 0)).isZero();
        assertThat(poller.find(poller.lastId)).isNull();
        assertThat(feed.close(() -> 0)).isEqualTo(-Errno.EINVAL);
    }
}
