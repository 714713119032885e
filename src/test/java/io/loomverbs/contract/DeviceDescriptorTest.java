package io.loomverbs.contract;

import static io.loomverbs.support.Descriptors.becomesReadable;
import static io.loomverbs.support.Descriptors.isReadable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** File descriptors of channels and groups: readable if and only if something can be taken. */
class DeviceDescriptorTest extends DeviceContract {
    private static final Path OPEN = Path.of("/proc/self/fd");

    private final CompletionChannel channel = f.channel();
    private final CqGroup group = f.own(CqGroup.create());
    private final GroupCompletions some = GroupCompletions.allocate(64);

    private CompletionQueue armed() {
        CompletionQueue cq = f.on(channel);
        cq.reqNotify(false);
        return cq;
    }

    private int poll() throws InterruptedException {
        return group.await(some, 1, Duration.ZERO);
    }

    /** Has the group look at members that joined, until it has nothing to look at. */
    private void settle(int fd) throws InterruptedException {
        assertThat(poll()).isZero();
        assertThat(isReadable(fd)).isFalse();
    }

    private void take(CompletionQueue of) {
        CqEvent event = channel.tryGetCqEvent();
        assertThat(event).isNotNull();
        assertThat(event.cq()).isSameAs(of);
        event.close();
    }

    /** An event makes it readable, and the thread that takes the last one makes it unreadable. */
    @Test
    void oneEventAfterTheOther() {
        CompletionQueue cq = armed();
        Source source = f.source(cq);
        int fd = channel.fd();
        assertThat(channel.fd()).isEqualTo(fd);
        for (int round = 0; round < 3; round++) {
            assertThat(isReadable(fd)).isFalse();
            source.complete(round);
            assertThat(becomesReadable(fd)).isTrue();
            assertThat(isReadable(fd)).isTrue();
            take(cq);
            assertThat(isReadable(fd)).isFalse();
            assertThat(channel.tryGetCqEvent()).isNull();
            cq.reqNotify(false);
        }
    }

    /** It stays readable until the last of several events is taken. */
    @Test
    void severalEvents() {
        CompletionQueue one = armed();
        CompletionQueue two = armed();
        Source first = f.source(one);
        Source second = f.source(two);
        int fd = channel.fd();
        first.complete(1);
        assertThat(becomesReadable(fd)).isTrue();
        second.complete(2);
        take(one);
        assertThat(becomesReadable(fd)).isTrue();
        take(two);
        assertThat(isReadable(fd)).isFalse();
    }

    /** An event from before the program asked for the descriptor shows, too. */
    @Test
    void anEventFromBefore() {
        CompletionQueue cq = armed();
        f.source(cq).complete(1);
        assertThat(becomesReadable(channel.fd())).isTrue();
        take(cq);
        assertThat(isReadable(channel.fd())).isFalse();
    }

    /** A thread that waits gets the event; then nothing is left for the descriptor. */
    @Test
    void aWaitingThreadTakesTheEvent() throws Exception {
        CompletionQueue cq = armed();
        Source source = f.source(cq);
        int fd = channel.fd();
        Fixture.Task<CqEvent> waiter =
                f.start("waiter", () -> channel.getCqEvent(Fixture.PATIENCE)).parked();
        source.complete(1);
        CqEvent event = waiter.get();
        assertThat(event.cq()).isSameAs(cq);
        event.close();
        assertThat(isReadable(fd)).isFalse();
        cq.reqNotify(false);
        source.complete(2);
        assertThat(becomesReadable(fd)).isTrue();
        take(cq);
    }

    /** The events of a CQ that is closed go with it. */
    @Test
    void aCqIsClosed() {
        CompletionQueue cq = armed();
        Source source = f.source(cq);
        int fd = channel.fd();
        source.complete(1);
        assertThat(becomesReadable(fd)).isTrue();
        source.close();
        cq.close();
        assertThat(isReadable(fd)).isFalse();
        assertThat(channel.tryGetCqEvent()).isNull();
    }

    /** A member with completions makes the group readable, until a thread has taken them all. */
    @Test
    void aGroup() throws Exception {
        CompletionQueue one = f.direct();
        CompletionQueue two = f.direct();
        Source first = f.source(one);
        Source second = f.source(two);
        group.add(one);
        group.add(two);
        int fd = group.fd();
        assertThat(group.fd()).isEqualTo(fd);
        assertThat(isReadable(fd)).as("members that joined are to be looked at").isTrue();
        settle(fd);
        for (int round = 0; round < 3; round++) {
            first.complete(1);
            second.complete(2);
            assertThat(becomesReadable(fd)).isTrue();
            for (int got = 0; got < 2; got += poll()) {
                assertThat(becomesReadable(fd)).isTrue();
            }
            settle(fd);
        }
        assertThat(group.remove(one)).isTrue();
        first.complete(3);
        assertThat(isReadable(fd)).as("it has left").isFalse();
        group.add(one);
        assertThat(isReadable(fd)).isTrue();
        assertThat(poll()).isOne();
        settle(fd);
    }

    /** A thread that waits for the group takes what comes. */
    @Test
    void aThreadThatWaitsForAGroup() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        group.add(cq);
        int fd = group.fd();
        settle(fd);
        Fixture.Task<Integer> waiter =
                f.start("waiter", () -> group.await(some, 1, Fixture.PATIENCE)).parked();
        source.complete(1);
        assertThat(waiter.get()).isOne();
        settle(fd);
    }

    /** A member that is removed, or closed, is no longer to be looked at. */
    @Test
    void aMemberLeaves() throws Exception {
        CompletionQueue cq = f.direct();
        int fd = group.fd();
        assertThat(isReadable(fd)).isFalse();
        group.add(cq);
        assertThat(isReadable(fd)).isTrue();
        group.remove(cq);
        assertThat(isReadable(fd)).isFalse();
    }

    /** Descriptors are given back, and none is made for what is closed. */
    @Test
    void theEnd() throws IOException {
        channel.fd();
        group.fd();
        long before = open();
        for (int i = 0; i < 200; i++) {
            CompletionChannel other = f.context.createCompChannel();
            other.fd();
            other.close();
            assertThatThrownBy(other::fd).isInstanceOf(ClosedException.class);
            CqGroup others = CqGroup.create();
            others.fd();
            others.close();
            assertThatThrownBy(others::fd).isInstanceOf(ClosedException.class);
        }
        assertThat(open() - before).isLessThan(100);
    }

    private static long open() throws IOException {
        try (Stream<Path> all = Files.list(OPEN)) {
            return all.count();
        }
    }
}
