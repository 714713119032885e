package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How much of a chain was taken, of a driver that fails and does not say; on objects made by hand.
 */
@Timeout(60)
class HandMadePostTest {
    private static final int LINUX_EIO = 5;

    private final AtomicInteger calls = new AtomicInteger();
    private HandMadeDevice device;
    private IbvContext context;

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create();
        context = device.bareContext();
        device.onDriverCall = argument -> calls.incrementAndGet();
    }

    @AfterEach
    void close() {
        if (device != null) {
            device.closePipe();
        }
    }

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
        assertThat(calls).hasValue(2);
    }

    /** rxe would keep the request in its ring, and do it once the queue pair is connected. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPS_RESET, Ibv.QPS_INIT, Ibv.QPS_RTR})
    void aSendIsRefusedBeforeTheDriverSeesIt(int state) {
        IbvQp qp = device.queuePair(context, state);
        assertThat(qp.postSend(twoSends())).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(calls).hasValue(0);
    }

    @Test
    void aReceiveIsRefusedInResetOnly() {
        IbvQp fresh = device.queuePair(context, Ibv.QPS_RESET);
        assertThat(fresh.postRecv(twoReceives())).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThat(calls).hasValue(0);
        IbvQp init = device.queuePair(context, Ibv.QPS_INIT);
        assertThat(init.postRecv(twoReceives())).isEqualTo(PostResult.OK);
        assertThat(calls).hasValue(1);
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
        device.onDriverCall =
                argument -> {
                    if (calls.incrementAndGet() == 1) {
                        inside.countDown();
                        await(goOn);
                    }
                };
        FutureTask<Integer> query = start(() -> qp.query(new QpAttr())); // answers RESET
        await(inside);
        QpAttr rts = new QpAttr();
        rts.qpState = Ibv.QPS_RTS;
        FutureTask<Integer> modify = start(() -> qp.modify(rts, Ibv.QP_STATE));
        Thread.sleep(50);
        assertThat(calls).as("the change waits for the query").hasValue(1);
        goOn.countDown();
        assertThat(query.get(20, TimeUnit.SECONDS)).isZero();
        assertThat(modify.get(20, TimeUnit.SECONDS)).isZero();
        assertThat(qp.postSend(twoSends())).isEqualTo(PostResult.OK);
    }

    private static FutureTask<Integer> start(Callable<Integer> body) {
        FutureTask<Integer> task = new FutureTask<>(body);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody lets go");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
