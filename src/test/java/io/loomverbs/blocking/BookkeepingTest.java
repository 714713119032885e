package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lists, indexes and reservations: what goes wrong in them shows much later. */
@Timeout(60)
class BookkeepingTest {
    private static final int DEPTH = 8;

    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    @Test
    void aWaitListIsEmptyWhenItsLastWaiterHasLeft() {
        WaitList list = new WaitList();
        Waiter one = new Waiter(null);
        Waiter two = new Waiter(null);
        list.add(one);
        list.add(two);
        list.remove(one);
        list.remove(one);
        assertThat(list.isEmpty()).isFalse();
        list.add(one);
        list.remove(two);
        assertThat(list.isEmpty()).isFalse();
        list.remove(one);
        assertThat(list.isEmpty()).isTrue();
    }

    /** Waiters that have gone are dropped now and then, not each time. */
    @Test
    void aSuccessionIsPrunedOnceManyHaveGone() {
        Succession waiting = new Succession();
        Waiter[] all = new Waiter[4];
        for (int i = 0; i < all.length; i++) {
            all[i] = new Waiter(null);
            waiting.join(all[i]);
        }
        all[2].gone = true;
        waiting.prune(1);
        assertThat(all[3].lower).isSameAs(all[2]);
        waiting.prune(1 << 10);
        assertThat(all[3].lower).isSameAs(all[1]);
        all[1].gone = true;
        waiting.prune(1);
        assertThat(all[3].lower).isSameAs(all[1]);
    }

    /** Numbers of queue pairs are used again, the lowest first. */
    @Test
    void aDispatcherFillsItsGaps() {
        CompletionQueue cq = f.direct();
        Attachment some = attachment(cq);
        CompletionQueue other = f.direct();
        Dispatcher d = Dispatcher.reserve(other, 1);
        for (int i = 0; i < 5; i++) {
            assertThat(d.attach(some)).isEqualTo(i);
        }
        d.detach(3);
        d.detach(1);
        assertThat(d.attach(some)).isEqualTo(1);
        assertThat(d.attach(some)).isEqualTo(3);
        assertThat(d.attach(some)).isEqualTo(5);
        d.unreserve(1);
        Dispatcher next = Dispatcher.reserve(other, 1);
        assertThat(next).as("of a CQ without requests").isNotSameAs(d);
        next.unreserve(1);
    }

    private Attachment attachment(CompletionQueue cq) {
        QueuePair qp = queuePair(cq, cq);
        Reservation room = Reservation.of(qp, RequestsConfig.of(), qp.config());
        Attachment made = new Attachment(qp, new Buffer[0], room);
        f.own(made::close);
        return made;
    }

    private QueuePair queuePair(CompletionQueue send, CompletionQueue recv) {
        QueuePair qp =
                f.own(f.pd.createQp(QpConfig.of(QpType.RC, send, recv).withWr(DEPTH, DEPTH)));
        qp.init(Fixture.anything());
        return qp;
    }

    /** With a CQ for each direction, both have the room and the number back. */
    @Test
    void closedRequestsLeaveBothCqs() {
        CompletionQueue send = f.own(f.context.createDirectCq(DEPTH));
        CompletionQueue recv = f.own(f.context.createDirectCq(DEPTH));
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, DEPTH));
        RequestsConfig config = RequestsConfig.of().withReceives(DEPTH - 1, pool);
        int sendRoom = Dispatcher.room(send);
        int recvRoom = Dispatcher.room(recv);
        Dispatcher d = Dispatcher.reserve(recv, 1);
        Requests.over(queuePair(send, recv), config).close();
        assertThat(Dispatcher.room(send)).isEqualTo(sendRoom);
        assertThat(Dispatcher.room(recv)).isEqualTo(recvRoom - 1);
        Attachment some = attachment(send);
        assertThat(d.attach(some)).isZero();
        d.unreserve(1);
    }

    /** Requests that find no room for receives reserve nothing and take no buffer. */
    @Test
    void refusedRequestsReserveNothing() {
        CompletionQueue send = f.own(f.context.createDirectCq(DEPTH));
        CompletionQueue recv = f.own(f.context.createDirectCq(DEPTH));
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, DEPTH));
        RequestsConfig config = RequestsConfig.of().withReceives(DEPTH, pool);
        int room = Dispatcher.room(send);
        Dispatcher full = Dispatcher.reserve(recv, Dispatcher.room(recv));
        assertThatThrownBy(() -> Requests.over(queuePair(send, recv), config))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no room");
        assertThat(Dispatcher.room(send)).isEqualTo(room);
        assertThat(pool.available()).isEqualTo(DEPTH);
        full.unreserve(recv.cqe());
    }

    /** Only what is missing is named. */
    @Test
    void buffersThatCameBackAreNotMissing() throws Exception {
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 2));
        Buffer first = pool.take();
        Buffer second = pool.take();
        first.close();
        assertThatThrownBy(pool::close)
                .hasMessageContaining("buffer 1,")
                .hasMessageNotContaining("buffer 0,");
        second.close();
    }
}
