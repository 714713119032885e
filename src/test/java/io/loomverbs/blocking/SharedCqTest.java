package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A CQ that requests have used: what else comes from it, at the same time or afterwards. */
@Timeout(60)
@SuppressWarnings("try") // joins threads, which may be interrupted
class SharedCqTest {
    private final Linked l = new Linked();

    @AfterEach
    void nothingIsLeft() throws Exception {
        l.close();
    }

    private QueuePair selfLinked(CompletionQueue cq) {
        QueuePair qp = l.f.own(l.f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2, 2)));
        qp.init(Fixture.anything());
        qp.connect(qp.endpoint());
        return qp;
    }

    /** What is posted by hand, after the requests were closed, completes for the program. */
    private void assertFree(CompletionQueue cq) {
        QueuePair byHand = selfLinked(cq);
        byHand.postSend(
                SendWorkRequest.allocate(1, 0)
                        .wrId(7)
                        .rdmaWrite(l.memory.address(), l.memory.rkey())
                        .sge(l.memory, 8, 8)
                        .signaled());
        LockSupport.parkNanos(Fixture.QUIET.toNanos()); // a thread that waits gets it
        WorkCompletions batch = WorkCompletions.allocate(4);
        Fixture.eventually("it has completed", () -> batch.size() > 0 || cq.poll(batch) > 0);
        assertThat(batch.wrId(0)).isEqualTo(7);
    }

    /** A receiver polls, and nothing tells it of the close, as the program holds all messages. */
    @Test
    void noReceiverPollsAfterTheClose() throws Exception {
        List<Message> held = new ArrayList<>();
        for (int i = 0; i < Linked.RECEIVES; i++) {
            l.a.send(Buffer.of(l.memory, 0, 8));
            held.add(l.b.receive());
        }
        Task<Message> receiver = l.f.start("receiver", () -> l.b.receive()).parked();
        l.b.close();
        assertFree(l.peerCq);
        assertThat(receiver.failure()).isInstanceOf(ClosedException.class);
        held.forEach(Message::close);
    }

    /** A buffer that other requests still use is no reason to poll the CQ of those that closed. */
    @Test
    void noThreadThatWaitsForABufferPollsAfterTheClose() throws Exception {
        CompletionQueue cq = l.f.direct();
        Requests lonely = l.f.own(Requests.over(selfLinked(cq)));
        Buffer shared = l.pool.take();
        Pending stuck = lonely.startSend(shared); // its peer, itself, has no receive
        for (int i = 0; i < Linked.RECEIVES; i++) {
            l.a.send(Buffer.of(l.memory, 0, 8));
        }
        l.a.startSend(shared);
        shared.close();
        Thread.sleep(Fixture.QUIET); // two threads wait for it now
        lonely.close();
        assertThat(stuck.isDone()).isTrue();
        assertFree(cq);
        l.a.close();
    }

    /** Its requests end with the post: no completion, and no audit, is waited for. */
    @Test
    void aRequestOfAClosedQueuePairEndsAtOnce() throws Exception {
        QueuePair closed = selfLinked(l.f.direct());
        Requests requests = l.f.own(Requests.over(closed));
        closed.close();
        Pending pending = requests.startWrite(Buffer.of(l.memory, 0, 8), l.remote().slice(8, 8));
        assertThat(pending.isDone()).isTrue();
        assertThatThrownBy(pending::await)
                .isInstanceOf(RequestFailedException.class)
                .hasCauseInstanceOf(ClosedException.class);
        requests.close();
    }

    /** Each would post as if it were alone. */
    @Test
    void aQueuePairHasRequestsOnce() throws Exception {
        CompletionQueue cq = l.f.direct();
        QueuePair qp = selfLinked(cq);
        Requests first = Requests.over(qp, RequestsConfig.of().withSends(1));
        int room = Dispatcher.room(cq);
        assertThatThrownBy(() -> Requests.over(qp))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("requests over %s are open: close them first", qp);
        assertThat(Dispatcher.room(cq)).isEqualTo(room);
        first.write(Buffer.of(l.memory, 0, 8), l.remote().slice(8, 8));
        first.close();
        Requests.over(qp).close();
    }

    /** The peer's device would fail the queue pair, for all threads. */
    @Test
    void anAtomicIsAligned() throws Exception {
        RemoteRegion odd = l.remote().slice(4, 8);
        assertThatThrownBy(() -> l.a.fetchAdd(odd, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("at is " + odd)
                .hasMessageContaining("multiple of 8");
        assertThatThrownBy(() -> l.a.compareAndSwap(odd, 0, 1))
                .isInstanceOf(IllegalArgumentException.class);
        l.a.fetchAdd(l.remote().slice(8, 8), 1);
    }

    /** What others take away is missed within seconds: no thread waits for it without end. */
    @Test
    void aCqThatOthersPollEndsItsRequests() throws Exception {
        Pending pending = l.a.startWrite(Buffer.of(l.memory, 0, 8), l.remote().slice(8, 8));
        assertThat(l.cq.poll(WorkCompletions.allocate(1))).isOne();
        Task<Message> receiver = l.f.start("receiver", () -> l.a.receive()).parked();
        assertThatThrownBy(() -> pending.await(Fixture.PATIENCE))
                .isInstanceOf(RequestFailedException.class)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith(l.cq + " was polled by others")
                .hasMessageContaining("have taken a completion away");
        assertThat(receiver.failure()).isInstanceOf(RequestFailedException.class);
        assertThat(l.qp.state()).isEqualTo(QpState.RESET);
        l.a.close();
        try (Requests again = Requests.over(l.qp)) { // what was missed then is not missed now
            l.qp.init(Fixture.anything());
            l.qp.connect(l.qp.endpoint());
            Thread.sleep(Duration.ofMillis(1100)); // until an audit is due
            Faults.of(l.f.context).delay(Distribution.fixed(Fixture.QUIET));
            again.write(Buffer.of(l.memory, 0, 8), l.remote().slice(8, 8));
        }
    }
}
