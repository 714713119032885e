package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Waits that end early, queues that are full, and objects that are closed at the wrong moment. */
@Timeout(60)
class RequestsTest {
    private static final Duration SOON = Duration.ofMillis(10);

    private Linked l = new Linked();

    @AfterEach
    void nothingIsLeft() throws Exception {
        l.close();
    }

    private void use(Linked other) throws Exception {
        l.close();
        l = other;
    }

    /** Takes all receives of b, so that further sends are not done. */
    private List<Message> holdReceives() throws InterruptedException {
        List<Message> held = new ArrayList<>();
        try (Buffer b = l.pool.take()) {
            for (int i = 0; i < Linked.RECEIVES; i++) {
                l.a.send(b.slice(0, 8));
                held.add(l.b.receive());
            }
        }
        return held;
    }

    private Task<Void> sender(String name) {
        return l.f.start(
                name,
                () -> {
                    try (Buffer b = l.pool.take()) {
                        l.a.send(b.slice(0, 8));
                    }
                    return null;
                });
    }

    /** A timeout leaves the request under way, and says so. */
    @Test
    void aTimeoutCarriesTheRequest() throws Exception {
        use(new Linked(QpType.RC, Linked.DEPTH, RequestsConfig.of().withTimeout(SOON)));
        List<Message> held = holdReceives();
        try (Buffer b = l.pool.take()) {
            RequestTimeoutException e =
                    catchThrowableOfType(RequestTimeoutException.class, () -> l.a.send(b));
            assertThat(e)
                    .hasMessageContainingAll(
                            "send of 1024 bytes", "qp-0x", "was not done within " + SOON);
            assertThat(e.request().isDone()).isFalse();
            held.forEach(Message::close);
            assertThat(e.request().await(Fixture.PATIENCE)).isTrue();
        }
        l.b.receive().close();
        assertThatThrownBy(() -> l.a.receive())
                .isInstanceOf(RequestTimeoutException.class)
                .hasMessageContaining("no message within " + SOON);
        assertThat(l.a.receive(SOON)).isNull();
    }

    /** A request that finds the queue full waits, and can be taken back. */
    @Test
    void aFullQueueIsWaitedFor() throws Exception {
        use(new Linked(QpType.RC, 2, RequestsConfig.of()));
        List<Message> held = holdReceives();
        Task<Void> first = sender("first").parked();
        Task<Void> second = sender("second").parked();
        Task<Void> third = sender("third").parked();
        int available = l.pool.available();
        third.thread.interrupt();
        assertThat(third.failure()).isExactlyInstanceOf(InterruptedException.class);
        assertThat(l.pool.available()).isEqualTo(available + 1);
        Task<Pending> starter =
                l.f.start("starter", () -> l.a.startSend(Buffer.of(l.memory, 0, 8))).parked();
        assertThat(starter.isDone()).isFalse();
        held.forEach(Message::close);
        first.get();
        second.get();
        starter.get().await();
        for (int i = 0; i < 3; i++) {
            l.b.receive().close();
        }
        assertThat(l.b.receive(SOON)).as("the cancelled one").isNull();
    }

    /** Requests that are cancelled again and again leave nothing behind in a queue that is full. */
    @Test
    void cancelledRequestsAreDropped() throws Exception {
        use(new Linked(QpType.RC, 1, RequestsConfig.of().withTimeout(Duration.ofNanos(1))));
        List<Message> held = holdReceivesWithoutTimeout();
        Pending stuck = l.a.startSend(Buffer.of(l.memory, 0, 8));
        for (int i = 0; i < 1_000; i++) {
            RequestTimeoutException e =
                    catchThrowableOfType(
                            RequestTimeoutException.class,
                            () -> l.a.send(Buffer.of(l.memory, 0, 8)));
            assertThat(e.request()).isNull();
            assertThat(e).hasMessageContainingAll("not posted within PT0.000000001S", "is full");
        }
        held.forEach(Message::close);
        stuck.await();
        l.a.startSend(Buffer.of(l.memory, 0, 16)).await();
        try (Message m = l.b.receive()) {
            assertThat(m.length()).isEqualTo(8);
        }
        try (Message m = l.b.receive()) {
            assertThat(m.length()).isEqualTo(16);
        }
    }

    /**
     * Those among them that were not cancelled stay, and so does what comes after them: while the
     * first of them waits, or once it was posted.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void requestsAmongCancelledOnesAreKept(boolean early) throws Exception {
        use(new Linked(QpType.RC, 1, RequestsConfig.of()));
        List<Message> held = holdReceivesWithoutTimeout();
        Pending stuck = l.a.startSend(Buffer.of(l.memory, 0, 8));
        Task<Pending> kept = starter(16);
        for (int i = 0; i < Backlog.MANY_CANCELLED; i++) {
            Task<Void> cancelled = sender("cancelled").parked();
            cancelled.thread.interrupt();
            assertThat(cancelled.failure()).isExactlyInstanceOf(InterruptedException.class);
        }
        Task<Pending> later = early ? starter(24) : null;
        held.removeFirst().close();
        stuck.await();
        Pending second = kept.get();
        if (later == null) {
            later = starter(24);
        }
        held.forEach(Message::close);
        second.await();
        later.get().await();
        for (int bytes : new int[] {8, 16, 24}) {
            try (Message m = Objects.requireNonNull(l.b.receive(Fixture.PATIENCE))) {
                assertThat(m.length()).isEqualTo(bytes);
            }
        }
    }

    /** A call that starts a request waits for a place no longer than the others. */
    @Test
    void aStartThatFindsNoPlaceInTimeStartsNothing() throws Exception {
        use(new Linked(QpType.RC, 1, RequestsConfig.of().withTimeout(Fixture.QUIET)));
        List<Message> held = holdReceivesWithoutTimeout();
        Pending stuck = l.a.startSend(Buffer.of(l.memory, 0, 8));
        Buffer mine = l.pool.take();
        int available = l.pool.available();
        RequestTimeoutException e =
                catchThrowableOfType(RequestTimeoutException.class, () -> l.a.startSend(mine));
        assertThat(e.request()).isNull();
        assertThat(e).hasMessageContainingAll("not posted within PT0.02S", "is full");
        mine.close();
        assertThat(l.pool.available()).as("it is not in use").isEqualTo(available + 1);
        held.forEach(Message::close);
        stuck.await();
        l.a.startSend(Buffer.of(l.memory, 0, 16)).await();
    }

    private Task<Pending> starter(int bytes) {
        return l.f.start("starter", () -> l.a.startSend(Buffer.of(l.memory, 0, bytes))).parked();
    }

    private List<Message> holdReceivesWithoutTimeout() throws InterruptedException {
        List<Message> held = new ArrayList<>();
        for (int i = 0; i < Linked.RECEIVES; i++) {
            l.a.startSend(Buffer.of(l.memory, 0, 8)).await();
            held.add(l.b.receive());
        }
        return held;
    }

    /** Many queue pairs share a CQ that has no room for all their queues at once. */
    @Test
    void aSharedCqNeverOverruns() throws Exception {
        CompletionQueue cq = l.f.own(l.f.context.createDirectCq(20));
        List<Requests> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            QueuePair qp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(9, 0)));
            all.add(l.f.own(Requests.over(qp)));
            qp.connect(qp.endpoint(), QpAttributes.builder().access(Fixture.anything()).build());
        }
        List<Task<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < 60; t++) {
            Requests requests = all.get(t % 3);
            tasks.add(
                    l.f.start(
                            "t" + t,
                            () -> {
                                for (int i = 0; i < 50; i++) {
                                    requests.write(
                                            Buffer.of(l.memory, 0, 8), l.remote().slice(64, 8));
                                }
                                return null;
                            }));
        }
        for (Task<Void> task : tasks) {
            task.get();
        }
        QueuePair fourth = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        assertThatThrownBy(() -> Requests.over(fourth))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("may need 20");
        all.get(0).close();
        Requests.over(fourth).close();
    }

    /** Every thread counts on the same eight bytes. */
    @Test
    void atomicsOfManyThreadsAddUp() throws Exception {
        RemoteRegion counter = l.remote().slice(16, 8);
        List<Task<Long>> tasks = new ArrayList<>();
        for (int t = 0; t < 30; t++) {
            tasks.add(
                    l.f.start(
                            "t" + t,
                            () -> {
                                long sum = 0;
                                for (int i = 0; i < 20; i++) {
                                    sum += l.a.fetchAdd(counter, 1);
                                }
                                return sum;
                            }));
        }
        long sum = 0;
        for (Task<Long> task : tasks) {
            sum += task.get();
        }
        assertThat(l.memory.memory().get(ValueLayout.JAVA_LONG, 16)).isEqualTo(600);
        assertThat(sum).isEqualTo(600L * 599 / 2);
    }

    /** A queue pair that the program moves to ERR ends the waits, each with the first status. */
    @Test
    void anErrorEndsAllWaits() throws Exception {
        List<Message> held = holdReceives();
        List<Task<Void>> senders = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            senders.add(sender("sender " + i).parked());
        }
        l.qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        for (Task<Void> sender : senders) {
            assertThat(sender.failure()).isInstanceOf(RequestFailedException.class);
            RequestFailedException e = (RequestFailedException) sender.failure();
            assertThat(e.status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        }
        held.forEach(Message::close);
    }

    /** A queue pair that was closed or reset by mistake leaves no thread waiting. */
    @Test
    void aQueuePairThatIsClosedEndsTheWaits() throws Exception {
        Task<Message> first = l.f.start("first", () -> l.a.receive()).parked();
        Task<Message> second = l.f.start("second", () -> l.a.receive()).parked();
        l.qp.close();
        assertThat(first.failure()).isInstanceOf(RequestFailedException.class);
        assertThat(second.failure())
                .isInstanceOf(RequestFailedException.class)
                .hasMessageContaining("is closed");
        l.a.close();
    }

    /** What came before a failure can still be received. */
    @Test
    void messagesAreReceivedAfterAFailure() throws Exception {
        try (Buffer b = l.pool.take()) {
            l.b.send(b.slice(0, 8));
            RemoteRegion wrong = new RemoteRegion(0, 1, 8);
            assertThatThrownBy(() -> l.a.read(wrong, b)).isInstanceOf(RequestFailedException.class);
        }
        l.a.receive().close();
        assertThatThrownBy(() -> l.a.receive()).isInstanceOf(RequestFailedException.class);
    }

    /** A close waits for the memory of all requests, and ends those that wait. */
    @Test
    void closeFlushesWhatIsUnderWay() throws Exception {
        List<Message> held = holdReceives();
        List<Task<Void>> senders = new ArrayList<>();
        for (int i = 0; i < 2 * Linked.DEPTH; i++) {
            senders.add(sender("sender " + i).parked());
        }
        Task<Void> other =
                l.f.start(
                        "closer",
                        () -> {
                            l.a.close();
                            return null;
                        });
        l.a.close();
        other.get();
        for (Task<Void> sender : senders) {
            assertThat(sender.failure())
                    .isInstanceOfAny(RequestFailedException.class, ClosedException.class);
        }
        held.forEach(Message::close);
        assertThat(l.pool.available()).isEqualTo(64 - Linked.RECEIVES);
    }

    /** A message that is held while its requests are closed stays valid, then goes to the pool. */
    @Test
    void aHeldMessageOutlivesTheRequests() throws Exception {
        try (Buffer b = l.pool.take()) {
            b.memory().setString(0, "kept");
            l.b.send(b);
        }
        Message held = l.a.receive();
        l.a.close();
        assertThat(held.memory().getString(0)).isEqualTo("kept");
        assertThat(l.pool.available()).isEqualTo(63 - Linked.RECEIVES);
        held.close();
        assertThat(l.pool.available()).isEqualTo(64 - Linked.RECEIVES);
    }

    /** The buffer of a request that nobody waits for any more comes back by itself. */
    @Test
    void buffersComeBackByThemselves() throws Exception {
        List<Message> held = holdReceives();
        Buffer b = l.pool.take();
        l.a.startSend(b);
        int available = l.pool.available();
        b.close();
        assertThat(l.pool.available()).isEqualTo(available);
        assertThatThrownBy(() -> l.a.send(b)).isInstanceOf(ClosedException.class);
        held.forEach(Message::close);
        Fixture.eventually("it is back", () -> l.pool.available() == available + 1);
    }

    /** A request that the device refuses fails alone. */
    @Test
    void aRefusedRequestFailsAlone() throws Exception {
        assertThatThrownBy(
                        () ->
                                l.a.execute(
                                        wr ->
                                                wr.send()
                                                        .sge(l.memory, 0, 8)
                                                        .sge(l.f.mr(8))
                                                        .sge(l.f.mr(8))))
                .isInstanceOf(RuntimeException.class);
        l.a.write(Buffer.of(l.memory, 0, 8), l.remote().slice(8, 8));
        assertThat(l.qp.state()).isEqualTo(QpState.RTS);
    }
}
