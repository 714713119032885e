package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Opened;
import io.loomverbs.PostException;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Ends that the device refuses at first: nothing is lost, and the next try completes them. */
@Timeout(60)
class RefusedClosesTest {
    private static final int DEPTH = 4;
    private static final Access[] ANYTHING = Fixture.anything();

    private final FaultyDevice device = new FaultyDevice();
    private final Fixture f = new Fixture(); // its threads
    private ProtectionDomain pd;
    private CompletionQueue cq;
    private QueuePair qp;
    private MemoryRegion memory;
    private BufferPool pool;
    private Requests requests;

    @BeforeEach
    void open() {
        Context context = f.own(Opened.open(device));
        pd = f.own(context.allocPd());
        cq = f.own(context.createDirectCq(2 * DEPTH));
        memory = f.own(pd.allocateMr(Fixture.BUFFER, ANYTHING));
        pool = f.own(BufferPool.of(pd, 64, DEPTH));
        qp = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, DEPTH)));
        qp.init(ANYTHING);
        requests = f.own(Requests.over(qp, RequestsConfig.of().withReceives(DEPTH, pool)));
        qp.connect(qp.endpoint());
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private void assertClosed() {
        assertThat(pool.available()).isEqualTo(DEPTH);
        assertThat(Dispatcher.room(cq)).isEqualTo(cq.cqe());
        assertThatThrownBy(() -> requests.send(Buffer.of(memory)))
                .isInstanceOf(ClosedException.class);
    }

    /** The requests are as before. */
    @Test
    void aRefusedErrLeavesRequestsOpen() throws Exception {
        device.goodModifies.set(0);
        assertThatThrownBy(requests::close).isInstanceOf(VerbsException.class);
        assertThat(pool.available()).as("posted still").isZero();
        requests.send(Buffer.of(memory, 0, 8));
        requests.receive().close();
        Task<Void> other = f.start("closer", this::close);
        requests.close();
        other.get();
        assertClosed();
    }

    private Void close() {
        requests.close();
        return null;
    }

    /** A receive that is given back meanwhile is posted again, and a send is executed. */
    @Test
    void whatHappensDuringARefusedCloseIsNotLost() throws Exception {
        requests.send(Buffer.of(memory, 0, 8));
        Message held = requests.receive();
        AtomicReference<Pending> sent = new AtomicReference<>();
        device.duringRefusal =
                () -> {
                    held.close();
                    try {
                        sent.set(requests.startSend(Buffer.of(memory, 0, 8)));
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                };
        device.goodModifies.set(0);
        assertThatThrownBy(requests::close).isInstanceOf(VerbsException.class);
        assertThat(pool.available()).as("all are posted").isZero();
        sent.get().await();
        requests.receive().close();
        for (int round = 0; round < 2; round++) {
            List<Pending> sends = new ArrayList<>();
            for (int i = 0; i < DEPTH; i++) { // one for each receive of the ring
                sends.add(requests.startSend(Buffer.of(memory, 0, 8)));
            }
            for (Pending send : sends) {
                send.await(Fixture.PATIENCE);
            }
            for (int i = 0; i < DEPTH; i++) {
                requests.receive().close();
            }
        }
        requests.close();
        assertClosed();
    }

    /** What is thrown is why they could not start, and the buffers come back later. */
    @Test
    void requestsThatNeitherStartNorCloseSayWhyTheyDidNotStart() throws Exception {
        requests.close();
        QueuePair other = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, DEPTH)));
        other.init(ANYTHING);
        device.goodReceives.set(2);
        device.goodModifies.set(0);
        RequestsConfig config = RequestsConfig.of().withReceives(DEPTH, pool);
        assertThatThrownBy(() -> Requests.over(other, config))
                .isInstanceOf(PostException.class)
                .hasMessageContaining("ibv_post_recv")
                .satisfies(
                        e ->
                                assertThat(e.getSuppressed())
                                        .singleElement()
                                        .asString()
                                        .contains("ibv_modify_qp"));
        Fixture.eventually("the buffers are back", () -> pool.available() == DEPTH);
        Fixture.eventually("so is the room", () -> Dispatcher.room(cq) == cq.cqe());
        assertThat(other.state()).isEqualTo(QpState.ERR);
    }

    /** A closed queue pair ends what was posted, even if the device has never moved it. */
    @Test
    void requestsThatCouldNotStartEndWithTheirQueuePair() throws Exception {
        requests.close();
        QueuePair other = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, DEPTH));
        other.init(ANYTHING);
        device.goodReceives.set(2);
        device.alwaysRefusesToModify = true;
        RequestsConfig config = RequestsConfig.of().withReceives(DEPTH, pool);
        assertThatThrownBy(() -> Requests.over(other, config)).isInstanceOf(PostException.class);
        assertThat(pool.available()).isEqualTo(DEPTH - 2);
        other.close();
        Fixture.eventually("the buffers are back", () -> pool.available() == DEPTH);
        Fixture.eventually("so is the room", () -> Dispatcher.room(cq) == cq.cqe());
    }

    /** The requests are closed, but for that memory. */
    @Test
    void aRefusedDeregistrationIsTriedAgain() throws Exception {
        requests.fetchAdd(RemoteRegion.of(memory).slice(0, 8), 1);
        device.goodDeregs.set(0);
        assertThatThrownBy(requests::close)
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("ibv_dereg_mr");
        assertClosed();
        requests.close();
    }

    /** Where a CQ has ended, only a reset frees memory: while it is refused, there is none. */
    @Test
    void aRefusedResetFreesNoMemory() throws Exception {
        Task<Message> receiver = f.start("receiver", () -> requests.receive()).parked();
        device.goodModifies.set(0);
        try (Serving serving = cq.serve(batch -> {})) {
            assertThat(receiver.failure()).isInstanceOf(IllegalStateException.class);
            assertThat(pool.available()).isZero();
            assertThat(qp.state()).isEqualTo(QpState.RTS);
            requests.close();
            assertThat(serving.status()).isNotEmpty();
        }
        assertClosed();
    }

    /** An Error of the thread that posts a receive again, after the device has taken it. */
    @Test
    void aReceiveThatAnErrorMetKeepsItsMemory() throws Exception {
        requests.send(Buffer.of(memory, 0, 8));
        Message message = requests.receive();
        Error error = new StackOverflowError("planted");
        device.afterReceive.set(error);
        assertThatThrownBy(message::close).isSameAs(error);
        assertThat(pool.available()).isZero();
        assertThat(qp.state()).isEqualTo(QpState.ERR);
        requests.close();
        assertClosed();
    }

    /** Of two slabs one stays, and goes with the next close. */
    @Test
    void aPoolWhoseMemoryIsKeptIsClosedAgain() throws Exception {
        BufferPool large = BufferPool.of(pd, 1 << 20, 2);
        Buffer first = large.take();
        Buffer second = large.take();
        first.close();
        second.close();
        device.goodDeregs.set(0);
        assertThatThrownBy(large::close).isInstanceOf(VerbsException.class);
        assertThatThrownBy(large::take).isInstanceOf(ClosedException.class);
        device.goodDeregs.set(1);
        large.close(); // one is left
        assertThat(device.goodDeregs.get()).isZero();
        device.goodDeregs.set(Integer.MAX_VALUE);
        large.close();
    }

    /** An atomic that meets a close registers no memory after it. */
    @Test
    void noMemoryIsRegisteredAfterAClose() {
        AtomicResults results = new AtomicResults(pd, 1);
        results.close();
        assertThat(results.prepare()).isFalse();
        AtomicResults prepared = new AtomicResults(pd, 1);
        assertThat(prepared.prepare()).isTrue();
        prepared.close();
        prepared.close();
    }
}
