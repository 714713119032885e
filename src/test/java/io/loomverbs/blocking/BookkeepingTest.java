package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.Field;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Lists, indexes and reservations: what goes wrong in them shows much later. */
@Timeout(60)
class BookkeepingTest {
    private static final int DEPTH = 8;

    private final Fixture f = new Fixture();
    private QueuePair sender;

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    @Test
    void aWaitListIsEmptyWhenItsLastWaiterHasLeft() {
        WaitList list = new WaitList();
        Parked one = new Parked(null);
        Parked two = new Parked(null);
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
        Parked[] all = new Parked[4];
        for (int i = 0; i < all.length; i++) {
            all[i] = new Parked(null);
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
            assertThat(d.claim()).isEqualTo(i);
            d.attach(i, some);
        }
        d.detach(3);
        d.detach(1);
        assertThat(d.claim()).isEqualTo(1);
        assertThat(d.claim()).isEqualTo(3);
        assertThat(d.claim()).isEqualTo(5);
        d.unreserve(1);
        Dispatcher next = Dispatcher.reserve(other, 1);
        assertThat(next).as("of a CQ without requests").isNotSameAs(d);
        next.unreserve(1);
    }

    private Attachment attachment(CompletionQueue cq) {
        QueuePair qp = queuePair(cq, cq);
        Reservation room = Reservation.of(qp, RequestsConfig.of(), qp.config());
        Attachment made = Attachment.of(qp, new Buffer[0], room);
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
        assertThat(d.claim()).isZero();
        d.unreserve(1);
    }

    /** Its leaders never see it: they would meet an attachment without its sides. */
    @Test
    void whatCannotBeAttachedLeavesBothCqs() {
        CompletionQueue send = f.direct();
        CompletionQueue recv = f.direct();
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 1));
        QueuePair qp = queuePair(send, recv);
        RequestsConfig config = RequestsConfig.of().withReceives(1, pool);
        Reservation room = Reservation.of(qp, config, qp.config());
        assertThatThrownBy(() -> Attachment.of(qp, new Buffer[1], room))
                .isInstanceOf(NullPointerException.class);
        for (Dispatcher d : List.of(room.sends(), room.receives())) {
            assertThat(d.attached()).containsOnlyNulls();
            assertThat(d.claim()).isZero();
        }
        room.release();
    }

    /** So that one of an earlier attachment, or of an earlier lap, is not taken for one of now. */
    @Test
    void completionsThatComeLateNameNoPlaceInUse() {
        long one = WrId.start();
        long other = WrId.start();
        assertThat(WrId.position(WrId.send(0, one), other)).isGreaterThan(other + (1 << 24));
        int lap = WrId.firstLap(one);
        long wrId = WrId.receive(3, 7, lap);
        assertThat(WrId.lap(wrId)).isEqualTo(lap).isNotEqualTo(WrId.firstLap(other));
        assertThat(WrId.slot(wrId)).isEqualTo(7);
        assertThat(WrId.index(wrId)).isEqualTo(3);
        assertThat(WrId.isReceive(wrId)).isTrue();
        for (int i = 0; i < 1 << 17; i++) {
            lap = WrId.nextLap(lap);
            assertThat(lap).isBetween(1, 0xffff);
        }
    }

    /** A ring of receives without a leader: the test polls, and tells it what has completed. */
    private ReceiveSide ring(CompletionQueue cq, BufferPool pool, int size)
            throws InterruptedException {
        QueuePair to = queuePair(cq, cq);
        QueuePair from = queuePair(f.direct(), f.direct());
        to.connect(from.endpoint());
        from.connect(to.endpoint());
        sender = from;
        Buffer[] buffers = new Buffer[size];
        for (int i = 0; i < size; i++) {
            buffers[i] = pool.take();
        }
        Reservation room = Reservation.of(to, RequestsConfig.of(), to.config());
        Attachment owner = Attachment.of(to, new Buffer[0], room);
        f.own(owner::close);
        ReceiveSide ring = new ReceiveSide(owner, to, 0, buffers, 0);
        ring.start();
        return ring;
    }

    private WorkCompletions message(CompletionQueue cq) {
        sender.postSend(SendWorkRequest.allocate(1, 0).send());
        WorkCompletions batch = WorkCompletions.allocate(1);
        assertThat(cq.poll(batch)).isOne();
        return batch;
    }

    /** Such as one that was handled before its dispatcher met an Error. */
    @Test
    void aReceiveCompletesOnce() throws Exception {
        CompletionQueue cq = f.direct();
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 2));
        ReceiveSide ring = ring(cq, pool, 2);
        WorkCompletions batch = message(cq);
        ring.completed(batch.wrId(0), batch, 0);
        ring.completed(batch.wrId(0), batch, 0);
        assertThat(ring.outstanding()).isOne();
        Message message = ring.poll();
        assertThat(message).isNotNull();
        assertThat(ring.poll()).isNull();
        ring.abandon();
        assertThat(ring.outstanding()).isZero();
        assertThat(pool.available()).as("the message has the other").isOne();
        message.close();
        assertThat(pool.available()).isEqualTo(2);
    }

    /** It was woken for a message, and may leave without it. */
    @Test
    void aReceiverThatLeavesAMessageWakesTheNext() throws Exception {
        CompletionQueue cq = f.direct();
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 1));
        ReceiveSide ring = ring(cq, pool, 1);
        Parked woken = new Parked(null);
        Parked me = new Parked(Thread.currentThread());
        ring.enlist(woken);
        ring.enlist(me);
        WorkCompletions batch = message(cq);
        ring.completed(batch.wrId(0), batch, 0);
        LockSupport.parkNanos(1); // uses up what other code has left
        ring.leave(woken);
        long start = System.nanoTime();
        LockSupport.parkNanos(Fixture.PATIENCE.toNanos());
        assertThat(System.nanoTime() - start).isLessThan(Fixture.PATIENCE.toNanos());
        ring.leave(me);
        ring.discard();
        ring.abandon();
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

    private static Request request(Backlog of) {
        Request r = new Request(null, null, false);
        of.add(r);
        return r;
    }

    /** Requests come out as they went in, also behind those that were dropped at the end. */
    @Test
    void aBacklogWithoutItsCancelledOnesIsWhole() {
        Backlog backlog = new Backlog();
        Request oldest = request(backlog);
        for (int i = 0; i < Backlog.MANY_CANCELLED; i++) {
            request(backlog).cancel();
            assertThat(backlog.cancelledOne()).isEqualTo(i + 1 == Backlog.MANY_CANCELLED);
        }
        backlog.takeNew();
        backlog.dropCancelledIfMany();
        assertThat(oldest.next).isNull();
        Request next = request(backlog);
        backlog.takeNew();
        assertThat(backlog.removeFirst()).isSameAs(oldest);
        assertThat(backlog.removeFirst()).isSameAs(next);
        assertThat(backlog.isEmpty()).isTrue();
    }

    /** A poster must not post its own request before those that came earlier. */
    @Test
    void aBacklogIsInUseUntilItsLastRequestIsTaken() {
        Backlog backlog = new Backlog();
        assertThat(backlog.isUnused()).isTrue();
        request(backlog);
        assertThat(backlog.isUnused()).isFalse();
        backlog.takeNew();
        assertThat(backlog.isUnused()).isFalse();
        assertThat(backlog.isWaiting()).isTrue();
        Request taken = backlog.removeFirst();
        backlog.announce();
        assertThat(backlog.isUnused()).isTrue();
        assertThat(backlog.isWaiting()).isFalse();
        backlog.addFirst(taken);
        assertThat(backlog.isWaiting()).as("there may be no place for it").isTrue();
    }

    /** One that goes back into the empty backlog is the last, too. */
    @Test
    void aRequestThatGoesBackIsFollowedByNewOnes() {
        Backlog backlog = new Backlog();
        Request taken = request(backlog);
        Request again = new Request(null, null, false);
        backlog.takeNew();
        assertThat(backlog.removeFirst()).isSameAs(taken);
        backlog.addFirst(again);
        Request next = request(backlog);
        backlog.takeNew();
        assertThat(backlog.removeFirst()).isSameAs(again);
        assertThat(backlog.removeFirst()).isSameAs(next);
    }

    /** So that a pop that was overtaken fails. */
    @Test
    void aFreeListThatWasChangedDoesNotLookAsBefore() throws Exception {
        FreeList free = new FreeList(1);
        Field top = FreeList.class.getDeclaredField("top");
        top.setAccessible(true);
        free.push(0);
        Object before = top.get(free);
        assertThat(free.pop()).isZero();
        free.push(0);
        assertThat(top.get(free)).isNotEqualTo(before);
    }

    /** Else a loan of long life, used in turns, would grow. */
    @Test
    void aLoanKnowsEachUserOnce() throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(4 * DEPTH));
        Attachment[] users = {attachment(cq), attachment(cq)};
        Loan loan =
                new Loan() {
                    @Override
                    void giveBack() {}
                };
        Field latest = Loan.class.getDeclaredField("users");
        latest.setAccessible(true);
        loan.use(users[0]);
        loan.use(users[1]);
        Object both = latest.get(loan);
        loan.use(users[0]);
        assertThat(latest.get(loan)).isSameAs(both);
    }
}
