package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqGroup;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Requests that something outside of them ends. No memory goes back that the device may use. */
@Timeout(60)
@SuppressWarnings("try") // joins threads, which may be interrupted
class EndedRequestsTest {
    private static final byte PATTERN = 0x5a;

    private final Linked l = new Linked();

    @AfterEach
    void nothingIsLeft() throws Exception {
        l.close();
    }

    /** Takes all that the pool has, and writes a pattern into it. */
    private List<Buffer> fillThePool() {
        List<Buffer> all = new ArrayList<>();
        for (Buffer b = l.pool.tryTake(); b != null; b = l.pool.tryTake()) {
            b.memory().fill(PATTERN);
            all.add(b);
        }
        return all;
    }

    private static void assertUntouched(List<Buffer> all) {
        MemorySegment pattern = MemorySegment.ofArray(new byte[Linked.BYTES]).fill(PATTERN);
        for (Buffer b : all) {
            assertThat(b.memory().mismatch(pattern))
                    .as("the first byte that differs")
                    .isEqualTo(-1);
            b.close();
        }
    }

    /** The peer sends to the receives that were posted. */
    private void peerSends() throws InterruptedException {
        List<Pending> sends = new ArrayList<>();
        for (int i = 0; i < Linked.RECEIVES; i++) {
            sends.add(l.b.startSend(Buffer.of(l.memory, 0, 64)));
        }
        for (Pending send : sends) {
            try {
                send.await(Duration.ofMillis(200));
            } catch (RequestFailedException e) {
                return; // there is no queue pair at the other end
            }
        }
    }

    private CqGroup group() {
        CqGroup group = CqGroup.create();
        group.add(l.cq);
        return group;
    }

    /** Another user of the CQ takes it over, though the queue pair is in order. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCqThatOthersReceiveFromFreesNoPostedReceive(boolean served) throws Exception {
        Task<Message> receiver = l.f.start("receiver", () -> l.a.receive()).parked();
        try (AutoCloseable other = served ? l.cq.serve(batch -> {}) : group()) {
            assertThat(receiver.failure())
                    .isInstanceOf(RequestFailedException.class)
                    .hasCauseInstanceOf(IllegalStateException.class);
            List<Buffer> all = fillThePool();
            peerSends();
            assertUntouched(all);
            assertThat(other).isNotNull();
        }
        assertThat(l.qp.state()).isEqualTo(QpState.RESET);
    }

    /** The same for a send, whose buffer goes back when the device cannot read it any more. */
    @Test
    void aCqThatOthersReceiveFromFreesNoPostedSend() throws Exception {
        List<Message> held = new ArrayList<>();
        for (int i = 0; i < Linked.RECEIVES; i++) {
            l.a.startSend(Buffer.of(l.memory, 0, 8)).await();
            held.add(l.b.receive());
        }
        Buffer mine = l.pool.take();
        Pending stuck = l.a.startSend(mine);
        mine.close();
        try (AutoCloseable other = l.cq.serve(batch -> {})) {
            assertThatThrownBy(() -> stuck.await(Fixture.PATIENCE))
                    .isInstanceOf(RequestFailedException.class);
            List<Buffer> all = fillThePool();
            held.forEach(Message::close);
            try (Message m = l.b.receive(Fixture.QUIET)) {
                assertThat(m).as("what is in memory that was given back").isNull();
            }
            assertUntouched(all);
            assertThat(other).isNotNull();
        }
    }

    /** A queue pair with a CQ for each direction: each leader ends its own side. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aQueuePairWithTwoCqsEndsOnBoth(boolean reset) throws Exception {
        CompletionQueue sends = l.f.direct();
        CompletionQueue receives = l.f.direct();
        QueuePair qp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, sends, receives)));
        qp.init(Fixture.anything());
        int free = l.pool.available();
        Requests requests = l.f.own(Requests.over(qp, RequestsConfig.of().withReceives(1, l.pool)));
        QueuePair silent = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, l.f.direct())));
        silent.init(Fixture.anything());
        silent.connect(qp.endpoint());
        qp.connect(silent.endpoint());
        Buffer mine = l.pool.take();
        Pending stuck = requests.startSend(mine);
        Task<Message> receiver = l.f.start("receiver", () -> requests.receive()).parked();
        if (reset) {
            qp.modify(QpAttributes.builder().state(QpState.RESET).build());
        } else {
            qp.close();
        }
        assertThatThrownBy(() -> stuck.await(Fixture.PATIENCE))
                .isInstanceOf(RequestFailedException.class);
        assertThat(receiver.failure()).isInstanceOf(RequestFailedException.class);
        mine.close();
        assertThat(l.pool.available()).isEqualTo(free);
        requests.close();
        assertThat(Dispatcher.room(sends)).isEqualTo(sends.cqe());
        assertThat(Dispatcher.room(receives)).isEqualTo(receives.cqe());
    }

    private void moveToReset() {
        l.qp.modify(QpAttributes.builder().state(QpState.RESET).build());
    }

    /** Resets a queue pair, and raises it again before a leader has looked. */
    private void resetAndRaise() {
        moveToReset();
        l.qp.init(Fixture.anything());
        l.qp.connect(l.peerQp.endpoint());
    }

    /** Nothing comes of what was posted before: neither the waits nor the close wait for it. */
    @Test
    void aQueuePairThatIsResetAndRaisedEndsWhatWasPosted() throws Exception {
        Task<Message> receiver = l.f.start("receiver", () -> l.a.receive()).parked();
        resetAndRaise();
        assertThat(receiver.failure())
                .isInstanceOf(RequestFailedException.class)
                .hasMessageContaining("RESET");
        Task<Void> closer =
                l.f.start(
                        "closer",
                        () -> {
                            l.a.close();
                            return null;
                        });
        closer.get();
        assertThat(l.pool.available()).isEqualTo(64 - Linked.RECEIVES);
    }

    /** The same, when a close is the first to look. */
    @Test
    void aQueuePairThatIsResetAndRaisedIsClosed() throws Exception {
        resetAndRaise();
        Task<Void> closer =
                l.f.start(
                        "closer",
                        () -> {
                            l.a.close();
                            return null;
                        });
        closer.get();
        assertThat(l.pool.available()).isEqualTo(64 - Linked.RECEIVES);
    }

    /** A request after the reset succeeds; those before it, which were discarded, have not. */
    @Test
    void aLaterCompletionDoesNotStandForWhatAResetHasDiscarded() throws Exception {
        List<Message> held = new ArrayList<>();
        for (int i = 0; i < Linked.RECEIVES; i++) {
            l.a.startSend(Buffer.of(l.memory, 0, 8)).await();
            held.add(l.b.receive());
        }
        Pending stuck = l.a.startSend(Buffer.of(l.memory, 0, 8)); // there is no receive for it
        resetAndRaise();
        held.forEach(Message::close);
        try {
            l.a.startWrite(Buffer.of(l.memory, 0, 8), l.remote().slice(64, 8)).await();
        } catch (RequestFailedException e) {
            assertThat(e).hasMessageContaining("RESET");
        }
        assertThatThrownBy(() -> stuck.await(Fixture.PATIENCE))
                .isInstanceOf(RequestFailedException.class)
                .hasMessageContaining("RESET");
    }

    /** While nothing is posted a program may begin anew. */
    @Test
    void aResetWhileNothingIsPostedChangesNothing() throws Exception {
        QueuePair qp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, l.f.direct())));
        Requests requests = l.f.own(Requests.over(qp));
        RemoteRegion to = l.remote().slice(64, 8);
        for (int i = 0; i < 3; i++) {
            qp.init(Fixture.anything());
            qp.connect(qp.endpoint());
            requests.write(Buffer.of(l.memory, 0, 8), to);
            qp.modify(QpAttributes.builder().state(QpState.RESET).build());
            assertThat(qp.resets()).isEqualTo(i + 1);
        }
    }

    /** Completions of another queue pair that keep coming must not hide that this one has gone. */
    @Test
    void aQueuePairThatHasGoneIsFoundOnABusyCq() throws Exception {
        CompletionQueue cq = l.f.own(l.f.context.createDirectCq(64));
        QueuePair busyQp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4, 4)));
        busyQp.init(Fixture.anything());
        busyQp.connect(busyQp.endpoint());
        Requests busy = l.f.own(Requests.over(busyQp));
        QueuePair qp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4, 4)));
        qp.init(Fixture.anything());
        Requests requests = l.f.own(Requests.over(qp, RequestsConfig.of().withReceives(1, l.pool)));
        Task<Message> receiver = l.f.start("receiver", () -> requests.receive()).parked();
        AtomicBoolean over = new AtomicBoolean();
        Task<Void> writer =
                l.f.start(
                        "writer",
                        () -> {
                            while (!over.get()) {
                                busy.write(Buffer.of(l.memory, 0, 8), l.remote().slice(64, 8));
                            }
                            return null;
                        });
        try {
            qp.close();
            assertThat(receiver.failure()).isInstanceOf(RequestFailedException.class);
        } finally {
            over.set(true);
        }
        writer.get();
    }
}
