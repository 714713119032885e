package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Struct;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How much of a chain was taken, of a driver that fails and does not say; on objects made by hand.
 */
class HandMadePostTest extends HandMadeContext {
    private static final int LINUX_EIO = 5;
    private static final int LINUX_EOPNOTSUPP = 95;

    private static SendWr twoSends() {
        SendWr first = new SendWr(1, 0);
        first.next(new SendWr(1, 0));
        return first;
    }

    private static RecvWr twoReceives() {
        RecvWr first = new RecvWr(1);
        first.next(new RecvWr(1));
        return first;
    }

    /** The chain may be in the ring, and only the doorbell have failed. */
    @Test
    void aDriverThatDoesNotSayLeavesItUnknown() {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        device.driverResult = LINUX_EIO;
        long unknown = PostResult.failed(Errno.EIO, PostResult.UNKNOWN);
        assertThat(qp.postSend(twoSends())).isEqualTo(unknown);
        assertThat(qp.postRecv(twoReceives())).isEqualTo(unknown);
        assertThat(PostResult.accepted(unknown)).isEqualTo(PostResult.UNKNOWN);
        assertThat(PostResult.errno(unknown)).isEqualTo(Errno.EIO);
        assertThat(callers).hasSize(2);
    }

    /** mthca has no other answer, and mlx4 none for an SRQ; as an errno it would be EPERM. */
    @Test
    void aDriverThatGivesNoReasonIsFull() {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        device.driverResult = -1;
        assertThat(PostResult.errno(qp.postSend(twoSends()))).isEqualTo(Errno.ENOMEM);
        assertThat(PostResult.errno(qp.postRecv(twoReceives()))).isEqualTo(Errno.ENOMEM);
    }

    /** rxe would keep the request in its ring, and do it once the queue pair is connected. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPS_RESET, Ibv.QPS_INIT, Ibv.QPS_RTR})
    void aSendIsRefusedBeforeTheDriverSeesIt(int state) {
        IbvQp qp = device.queuePair(context, state);
        assertThat(qp.postSend(twoSends())).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(callers).hasSize(0);
    }

    @Test
    void aReceiveIsRefusedInResetOnly() {
        IbvQp fresh = device.queuePair(context, Ibv.QPS_RESET);
        assertThat(fresh.postRecv(twoReceives())).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(callers).hasSize(0);
        IbvQp init = device.queuePair(context, Ibv.QPS_INIT);
        assertThat(init.postRecv(twoReceives())).isEqualTo(PostResult.OK);
        assertThat(callers).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPS_RTS, Ibv.QPS_SQD, Ibv.QPS_SQE, Ibv.QPS_ERR})
    void everyLaterStateTakesRequests(int state) {
        IbvQp qp = device.queuePair(context, state);
        assertThat(qp.postSend(twoSends())).isEqualTo(PostResult.OK);
        assertThat(qp.postRecv(twoReceives())).isEqualTo(PostResult.OK);
    }

    /** A query writes its answer into the queue pair, too: one that is late would be believed. */
    @Test
    void anOldAnswerDoesNotComeAfterAChange() throws Exception {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTR);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        holdFirstCall(inside, goOn);
        FutureTask<Integer> query = onPlatform(() -> qp.query(new QpAttr())); // answers RESET
        await(inside);
        QpAttr rts = new QpAttr();
        rts.qpState = Ibv.QPS_RTS;
        FutureTask<Integer> modify = onPlatform(() -> qp.modify(rts, Ibv.QP_STATE));
        Thread.sleep(50);
        assertThat(callers).as("the change waits for the query").hasSize(1);
        goOn.countDown();
        assertThat(result(query)).isZero();
        assertThat(result(modify)).isZero();
        assertThat(qp.postSend(twoSends())).isEqualTo(PostResult.OK);
    }

    /** rxe would write the result to where the inline data says. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_CMP_AND_SWP, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void whatReadsHasNoInlineData(int opcode) {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        SendWr first = twoSends();
        SendWr second = first.next();
        second.opcode(opcode);
        second.sendFlags(Ibv.SEND_INLINE);
        assertThat(qp.postSend(first)).isEqualTo(PostResult.failed(Errno.EINVAL, 1));
        assertThat(first.next()).isSameAs(second);
        assertThat(qp.postSend(second)).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(callers).as("the first request of the chain").hasSize(1);
    }

    /** EFA refuses a query of all attributes. */
    @Test
    void aDeviceWithFewAttributesIsAskedForThese() {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        AtomicInteger queries = new AtomicInteger();
        device.answers =
                verb ->
                        verb.equals("queryQp") && queries.incrementAndGet() == 1
                                ? LINUX_EOPNOTSUPP
                                : 0;
        assertThat(qp.query(new QpAttr())).isZero();
        assertThat(queries).hasValue(2);
    }

    /** mlx5 would refuse each request with inline data as too long. */
    @Test
    void inlineDataNeedsAnEntry() {
        assertThat(IbvQp.asked(new QpCap(4, 3, 0, 2, 8))).isEqualTo(new QpCap(4, 3, 1, 2, 8));
        for (QpCap cap : List.of(new QpCap(4, 3, 0, 2, 0), new QpCap(4, 3, 2, 2, 8))) {
            assertThat(IbvQp.asked(cap)).isEqualTo(cap);
        }
    }

    /** Datagrams are cut before one without an address handle; the chain is the program's. */
    @Test
    void aChainIsWholeAgainAfterThePost() {
        IbvQp qp = device.datagramQueuePair(context);
        SendWr first = twoSends();
        SendWr second = first.next();
        first.opcode(Ibv.WR_SEND);
        first.ud(device.addressHandle(context), 1, 1);
        assertThat(qp.postSend(first)).isEqualTo(PostResult.failed(Errno.EINVAL, 1));
        assertThat(callers).hasSize(1);
        assertThat(first.next()).isSameAs(second);
    }

    private static SendWr bind(IbvMw mw, int rkey, IbvMr mr) {
        SendWr wr = new SendWr(1, 8);
        wr.bind(mw, rkey, mr, 16, 8, Ibv.ACCESS_REMOTE_READ);
        return wr;
    }

    /** A driver takes the key that a bind replaces from the window. */
    @Test
    void aWindowHasItsNewKeyOnceItsBindIsPosted() {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        IbvMw mw = device.memoryWindow(context);
        IbvMw refused = device.memoryWindow(context);
        IbvMr mr = device.memoryRegion(context, 64);
        SendWr first = bind(mw, 3, mr);
        SendWr second = bind(refused, 4, mr);
        first.next(second);
        second.opcode(Ibv.WR_RDMA_READ);
        second.sendFlags(Ibv.SEND_INLINE);
        assertThat(qp.postSend(first)).isEqualTo(PostResult.failed(Errno.EINVAL, 1));
        assertThat(first.next()).isSameAs(second);
        assertThat(List.of(mw.rkey(), keyOf(mw))).containsOnly(3);
        assertThat(List.of(refused.rkey(), keyOf(refused))).containsOnly(0);
        mw.rkey(2);
        assertThat(List.of(mw.rkey(), keyOf(mw))).containsOnly(2);
        device.driverResult = LINUX_EIO;
        assertThat(qp.postSend(bind(mw, 5, mr)))
                .isEqualTo(PostResult.failed(Errno.EIO, PostResult.UNKNOWN));
        assertThat(mw.rkey()).isEqualTo(2);
    }

    private static int keyOf(IbvMw mw) {
        return Struct.i32At(mw.address() + IbvLayouts.IbvMw.RKEY);
    }

    /** Drivers follow the pointers to the window and the region. */
    @Test
    void whatABindNamesStaysUntilItIsPosted() throws Exception {
        IbvQp qp = device.queuePair(context, Ibv.QPS_RTS);
        IbvMw mw = device.memoryWindow(context);
        IbvMr mr = device.memoryRegion(context, 64);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        holdFirstCall(inside, goOn);
        FutureTask<Long> post = onPlatform(() -> qp.postSend(bind(mw, 1, mr)));
        await(inside);
        FutureTask<Integer> dereg = onPlatform(mr::dereg);
        FutureTask<Integer> dealloc = onPlatform(mw::dealloc);
        Thread.sleep(50);
        assertThat(callers).as("neither is destroyed").hasSize(1);
        goOn.countDown();
        assertThat(result(post)).isEqualTo(PostResult.OK);
        assertThat(result(dereg)).isZero();
        assertThat(result(dealloc)).isZero();
        int calls = callers.size();
        assertThat(qp.postSend(bind(mw, 1, device.memoryRegion(context, 64))))
                .isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(qp.postSend(bind(device.memoryWindow(context), 1, mr)))
                .isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(qp.bindMw(bind(mw, 1, mr))).isEqualTo(-Errno.EINVAL);
        assertThat(callers).hasSize(calls);
    }

    /** A driver without memory windows has no function for them. */
    @Test
    void aDriverWithoutWindowsIsNotCalled() {
        Struct.at(context.address(), IbvLayouts.IbvContext.BYTES)
                .i64(IbvLayouts.IbvContext.OPS__ALLOC_MW, 0);
        IbvContext without = device.bareContext();
        assertThatThrownBy(() -> IbvMw.alloc(without, 1, Ibv.MW_TYPE_1))
                .isInstanceOfSatisfying(
                        DeviceException.class,
                        e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        assertThat(callers).isEmpty();
    }
}
