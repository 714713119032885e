package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.ClosedException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What blocking requests do on every device. */
@Tag("device")
@Timeout(60)
class DeviceRequestsTest {
    private final Linked l = new Linked();

    @AfterEach
    void nothingIsLeft() throws Exception {
        l.close();
    }

    private Buffer text(String text) throws InterruptedException {
        Buffer b = l.pool.take();
        b.memory().setString(0, text);
        return b;
    }

    /** A message arrives, and its buffer goes around more often than there are receives. */
    @Test
    void messagesArriveInOrder() throws Exception {
        Task<Void> peer =
                l.f.start(
                        "echo",
                        () -> {
                            for (int i = 0; i < 4 * Linked.RECEIVES; i++) {
                                try (Message m = l.b.receive()) {
                                    l.b.send(m.bytes());
                                }
                            }
                            return null;
                        });
        for (int i = 0; i < 4 * Linked.RECEIVES; i++) {
            try (Buffer out = text("message " + i)) {
                l.a.send(out.slice(0, 20));
            }
            try (Message in = l.a.receive()) {
                assertThat(in.memory().getString(0)).isEqualTo("message " + i);
                assertThat(in.length()).isEqualTo(20);
                assertThat(in.isWrite() || in.hasImm()).isFalse();
            }
        }
        peer.get();
    }

    /** A close ends receives that were posted in state ERR, which a device may keep at first. */
    @Test
    void receivesThatWerePostedInErrAreFlushed() throws Exception {
        l.a.close();
        int free = l.pool.available();
        l.qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        RequestsConfig receives = RequestsConfig.of().withReceives(Linked.RECEIVES, l.pool);
        try (Requests late = Requests.over(l.qp, receives)) {
            assertThat(l.pool.available()).isLessThan(free);
            assertThat(late.toString()).contains(l.qp.toString());
        }
        assertThat(l.pool.available()).isEqualTo(free);
    }

    /** One-sided requests have done their work when they return. */
    @Test
    void memoryOfThePeerIsReadAndWritten() throws Exception {
        MemorySegment there = l.memory.memory();
        try (Buffer out = text("written");
                Buffer in = l.pool.take()) {
            l.a.write(out.slice(0, 8), l.remote().slice(64, 8));
            assertThat(there.getString(64)).isEqualTo("written");
            l.a.read(l.remote().slice(64, 8), in);
            assertThat(in.memory().getString(0)).isEqualTo("written");
        }
        there.set(ValueLayout.JAVA_LONG, 8, 5);
        RemoteRegion counter = l.remote().slice(8, 8);
        assertThat(l.a.fetchAdd(counter, 2)).isEqualTo(5);
        assertThat(l.a.compareAndSwap(counter, 6, 1)).isEqualTo(7);
        assertThat(l.a.compareAndSwap(counter, 7, 1)).isEqualTo(7);
        assertThat(there.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(1);
    }

    /** Immediates come with messages, and announce writes. */
    @Test
    void immediatesAreReceived() throws Exception {
        try (Buffer out = text("news")) {
            l.a.sendWithImm(out.slice(0, 5), 42);
            l.a.writeWithImm(out.slice(0, 5), l.remote(), -43);
        }
        try (Message m = l.b.receive()) {
            assertThat(m.imm()).isEqualTo(42);
            assertThat(m.memory().getString(0)).isEqualTo("news");
        }
        try (Message m = l.b.receive()) {
            assertThat(m.isWrite()).isTrue();
            assertThat(m.imm()).isEqualTo(-43);
            assertThat(m.length()).isEqualTo(5);
            assertThat(l.memory.memory().getString(0)).isEqualTo("news");
        }
    }

    /** What has no method is described by the program, such as inline data. */
    @Test
    void anyRequestIsExecuted() throws Exception {
        byte[] text = "inline\0".getBytes(StandardCharsets.UTF_8);
        l.a.execute(wr -> wr.send().inline(MemorySegment.ofArray(text)));
        try (Message m = l.b.receive()) {
            assertThat(m.memory().getString(0)).isEqualTo("inline");
        }
    }

    /** More threads than places share the queue; each gets its own data. */
    @Test
    void manyThreadsShareAQueuePair() throws Exception {
        for (int i = 0; i < 128; i++) {
            l.memory.memory().set(ValueLayout.JAVA_LONG, i * 8L, i);
        }
        List<Task<Void>> readers = new ArrayList<>();
        for (int t = 0; t < 40; t++) {
            int thread = t;
            readers.add(
                    l.f.start(
                            "reader " + t,
                            () -> {
                                try (Buffer b = l.pool.take()) {
                                    for (int i = 0; i < 32; i++) {
                                        int n = (thread * 7 + i) % 128;
                                        l.a.read(l.remote().slice(n * 8L, 8), b);
                                        assertThat(b.memory().get(ValueLayout.JAVA_LONG, 0))
                                                .isEqualTo(n);
                                    }
                                }
                                return null;
                            }));
        }
        for (Task<Void> reader : readers) {
            reader.get();
        }
        Fixture.eventually("all buffers are back", () -> l.pool.available() == 48);
    }

    /** Several requests are under way at once, more than the queue holds. */
    @Test
    void requestsAreStartedAndAwaited() throws Exception {
        List<Pending> all = new ArrayList<>();
        try (Buffer b = l.pool.take()) {
            for (int i = 0; i < 3 * Linked.DEPTH; i++) {
                all.add(l.a.startWrite(b, l.remote().slice(0, Linked.BYTES)));
            }
            for (Pending p : all) {
                assertThat(p.await(Fixture.PATIENCE)).isTrue();
                assertThat(p.isDone()).isTrue();
            }
        }
    }

    /** A refused access fails the request, those that wait, and later ones, with one status. */
    @Test
    void aFailureReachesEveryone() throws Exception {
        Task<Message> waiter = l.f.start("receiver", () -> l.a.receive()).parked();
        RemoteRegion wrong = new RemoteRegion(l.memory.address(), l.memory.rkey() ^ 0x5555, 8);
        try (Buffer b = l.pool.take()) {
            RequestFailedException e =
                    catchThrowableOfType(RequestFailedException.class, () -> l.a.read(wrong, b));
            assertThat(e.status()).isIn(WcStatus.REM_ACCESS_ERR, WcStatus.REM_INV_REQ_ERR);
            assertThat(e.isFlushed()).isFalse();
            assertThat(e)
                    .hasMessageContaining("read of 8 bytes")
                    .hasMessageContaining(e.status().hint());
            RequestFailedException later =
                    catchThrowableOfType(RequestFailedException.class, () -> l.a.send(b));
            assertThat(later.status()).isEqualTo(e.status());
            assertThat(later.isFlushed()).isTrue();
            assertThat(waiter.failure()).isInstanceOf(RequestFailedException.class);
            assertThat(((RequestFailedException) waiter.failure()).status()).isEqualTo(e.status());
        }
        assertThat(l.qp.state()).isEqualTo(QpState.ERR);
    }

    /** Closing ends all waits, and the buffers of the receives are back. */
    @Test
    void closingEndsTheWaits() throws Exception {
        Task<Message> first = l.f.start("first", () -> l.a.receive()).parked();
        Task<Message> second = l.f.start("second", () -> l.a.receive()).parked();
        l.a.close();
        assertThat(first.failure()).isInstanceOf(ClosedException.class);
        assertThat(second.failure()).isInstanceOf(ClosedException.class);
        assertThat(l.pool.available()).isEqualTo(64 - Linked.RECEIVES);
        l.a.close();
        assertThat(l.a.queuePair().state()).isEqualTo(QpState.ERR);
    }

    /** A thread that gives up leaves the request under way, and its memory with it. */
    @Test
    void anInterruptLeavesTheRequestUnderWay() throws Exception {
        List<Message> held = new ArrayList<>();
        try (Buffer b = l.pool.take()) {
            for (int i = 0; i < Linked.RECEIVES; i++) {
                l.a.send(b);
                held.add(l.b.receive());
            }
        }
        // The peer has no receive posted now.
        Task<Pending> sender =
                l.f.start(
                        "sender",
                        () -> {
                            try (Buffer b = text("late")) {
                                l.a.send(b);
                                throw new AssertionError("sent");
                            } catch (RequestInterruptedException e) {
                                return e.request();
                            }
                        });
        sender.parked();
        sender.thread.interrupt();
        Pending request = sender.get();
        assertThat(request.isDone()).isFalse();
        assertThat(request.await(Duration.ofMillis(5))).isFalse();
        int available = l.pool.available();
        held.forEach(Message::close);
        request.await();
        Fixture.eventually("the buffer is back", () -> l.pool.available() == available + 1);
        try (Message m = l.b.receive()) {
            assertThat(m.memory().getString(0)).isEqualTo("late");
        }
    }
}
