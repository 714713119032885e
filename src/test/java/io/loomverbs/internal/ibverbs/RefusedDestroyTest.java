package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Calls that meet an attempt to destroy their object, which the device then refuses or agrees to:
 * each waits for the outcome, by parking. On objects made by hand.
 */
@Timeout(60)
@ParameterizedClass
@ValueSource(booleans = {true, false})
class RefusedDestroyTest {
    private final boolean virtual;
    private final Arena arena = Arena.ofShared();
    private final CountDownLatch atWork = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final List<FutureTask<?>> others = new ArrayList<>();
    private volatile int outcome = Errno.EBUSY;
    private HandMadeDevice device;

    RefusedDestroyTest(boolean virtual) {
        this.virtual = virtual;
    }

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create();
        device.answers = this::answer;
    }

    @AfterEach
    void end() {
        goOn.countDown();
    }

    /** What the driver does: to destroy takes as long as the test likes. */
    private int answer(String verb) {
        if (verb.startsWith("destroy")) {
            return attempt();
        }
        return 0;
    }

    private int attempt() {
        atWork.countDown();
        try {
            return goOn.await(20, TimeUnit.SECONDS) ? outcome : Errno.EINTR;
        } catch (InterruptedException e) {
            return Errno.EINTR;
        }
    }

    private static <T> FutureTask<T> start(boolean virtual, Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread thread = virtual ? Thread.ofVirtual().unstarted(task) : new Thread(task);
        thread.start();
        return task;
    }

    private static <T> T result(FutureTask<T> of) throws Exception {
        return of.get(20, TimeUnit.SECONDS);
    }

    /** On a platform thread: the device keeps it. */
    private FutureTask<Integer> beginToDestroy(Callable<Integer> destroy) throws Exception {
        FutureTask<Integer> destroyer = start(false, destroy);
        assertThat(atWork.await(20, TimeUnit.SECONDS)).isTrue();
        return destroyer;
    }

    private <T> FutureTask<T> meanwhile(Callable<T> call) {
        FutureTask<T> task = start(virtual, call);
        others.add(task);
        return task;
    }

    private void refuse(FutureTask<Integer> destroyer) throws Exception {
        Thread.sleep(50);
        assertThat(others).as("wait for the outcome").noneMatch(FutureTask::isDone);
        goOn.countDown();
        assertThat(result(destroyer)).isEqualTo(-Errno.EBUSY);
    }

    private void agree(FutureTask<Integer> destroyer) throws Exception {
        outcome = 0;
        Thread.sleep(50);
        assertThat(others).as("wait for the outcome").noneMatch(FutureTask::isDone);
        goOn.countDown();
        assertThat(result(destroyer)).isZero();
    }

    private IbvCq cq(Context context) {
        context.createDirectCq(1);
        return device.lastCq();
    }

    private int poll(IbvCq cq) {
        MemorySegment wcs = arena.allocate(WcStruct.BYTES, 8);
        return cq.poll(wcs, 0, 1);
    }

    @Test
    void callsOfACqGoOn() throws Exception {
        IbvCq cq = cq(device.open());
        FutureTask<Integer> destroyer = beginToDestroy(cq::destroy);
        FutureTask<Integer> poll = meanwhile(() -> poll(cq));
        FutureTask<Integer> arm = meanwhile(() -> cq.reqNotify(false));
        FutureTask<Integer> resize = meanwhile(() -> cq.resize(2));
        refuse(destroyer);
        assertThat(result(poll)).isZero();
        assertThat(result(arm)).isZero();
        assertThat(result(resize)).isZero();
    }

    @Test
    void callsOfADestroyedCqAreRefused() throws Exception {
        IbvCq cq = cq(device.open());
        FutureTask<Integer> destroyer = beginToDestroy(cq::destroy);
        FutureTask<Integer> poll = meanwhile(() -> poll(cq));
        FutureTask<Integer> second = meanwhile(cq::destroy);
        agree(destroyer);
        assertThat(result(poll)).isEqualTo(-Errno.EINVAL);
        assertThat(result(second)).isZero();
        assertThat(cq.isDestroyed()).isTrue();
    }

    @Test
    void aSecondDestroyTriesItself() throws Exception {
        IbvQp qp = device.queuePair(device.bareContext());
        FutureTask<Integer> destroyer = beginToDestroy(qp::destroy);
        FutureTask<Integer> second = meanwhile(qp::destroy);
        Thread.sleep(50);
        assertThat(others).noneMatch(FutureTask::isDone);
        goOn.countDown();
        assertThat(result(destroyer)).isEqualTo(-Errno.EBUSY);
        assertThat(result(second)).isEqualTo(-Errno.EBUSY);
        outcome = 0;
        assertThat(qp.destroy()).isZero();
    }

    @Test
    void postsOfAQueuePairGoOn() throws Exception {
        IbvQp qp = device.queuePair(device.bareContext());
        FutureTask<Integer> destroyer = beginToDestroy(qp::destroy);
        FutureTask<Long> send = meanwhile(() -> qp.postSend(new SendWr(1, 0)));
        FutureTask<Long> receive = meanwhile(() -> qp.postRecv(new RecvWr(1)));
        refuse(destroyer);
        assertThat(result(send)).isEqualTo(PostResult.OK);
        assertThat(result(receive)).isEqualTo(PostResult.OK);
        assertThat(qp.isDestroyed()).isFalse();
    }

    @Test
    void otherCallsOfAQueuePairGoOn() throws Exception {
        IbvQp qp = device.queuePair(device.bareContext());
        FutureTask<Integer> destroyer = beginToDestroy(qp::destroy);
        FutureTask<Integer> query = meanwhile(() -> qp.query(new QpAttr()));
        FutureTask<Integer> modify = meanwhile(() -> qp.modify(new QpAttr(), Ibv.QP_STATE));
        refuse(destroyer);
        assertThat(result(query)).isZero();
        assertThat(result(modify)).isZero();
    }

    /** A chain that names the handle twice must not wait for a destroyer that waits for it. */
    @Test
    void aPostToAnAddressHandleGoesOn() throws Exception {
        IbvContext context = device.bareContext();
        IbvQp qp = device.datagramQueuePair(context);
        IbvAh other = device.addressHandle(context);
        IbvAh ah = device.addressHandle(context);
        FutureTask<Integer> destroyer = beginToDestroy(ah::destroy);
        FutureTask<Long> send = meanwhile(() -> qp.postSend(chain(other, ah, other, ah)));
        Thread.sleep(50);
        FutureTask<Integer> free = start(false, () -> other.guard.destroy(() -> 1, -1));
        assertThat(result(free)).as("is not held meanwhile").isEqualTo(1);
        refuse(destroyer);
        assertThat(result(send)).isEqualTo(PostResult.OK);
    }

    @Test
    void aPostToADestroyedAddressHandleIsRefused() throws Exception {
        IbvContext context = device.bareContext();
        IbvQp qp = device.datagramQueuePair(context);
        IbvAh other = device.addressHandle(context);
        IbvAh ah = device.addressHandle(context);
        FutureTask<Integer> destroyer = beginToDestroy(ah::destroy);
        FutureTask<Long> send = meanwhile(() -> qp.postSend(chain(other, ah, other)));
        agree(destroyer);
        assertThat(result(send)).isEqualTo(PostResult.failed(Errno.EINVAL, 1));
        assertThat(other.destroy()).isZero();
    }

    private static SendWr chain(IbvAh... ahs) {
        SendWr next = null;
        for (int i = ahs.length - 1; i >= 0; i--) {
            SendWr wr = new SendWr(1, 0);
            wr.opcode(Ibv.WR_SEND);
            wr.ud(ahs[i], 1, 1);
            wr.next(next);
            next = wr;
        }
        return next;
    }

    @Test
    void queriesOfADeviceGoOn() throws Exception {
        IbvContext context = device.bareContext();
        FutureTask<Integer> destroyer =
                beginToDestroy(
                        () -> {
                            try {
                                context.close(() -> -attempt());
                                return 0;
                            } catch (DeviceException e) {
                                return -e.errno();
                            }
                        });
        FutureTask<Object> query = meanwhile(() -> context.queryPort(1));
        refuse(destroyer);
        assertThat(result(query)).isNotNull();
        assertThat(context.isClosed()).isFalse();
        device.closePipe();
    }

    /** What was closed may be freed: it must not be given to libibverbs. */
    @Test
    void aClosedDeviceIsNotAsked() throws Exception {
        IbvContext context = device.bareContext();
        context.close(() -> 0);
        assertThatThrownBy(context::queryDevice)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("closed");
        device.closePipe();
    }

    /** The handler polls while the device thinks about it. */
    @Test
    void aHandlerIsServedOn() throws Exception {
        AtomicInteger completions = new AtomicInteger(1);
        AtomicInteger handled = new AtomicInteger();
        CountDownLatch inHandler = new CountDownLatch(1);
        CountDownLatch leaveHandler = new CountDownLatch(1);
        device.answers =
                verb -> {
                    boolean some =
                            verb.equals("pollCq")
                                    && completions.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
                    return some ? 1 : answer(verb);
                };
        try (Context context = device.open()) {
            CompletionQueue cq = context.createDirectCq(1);
            HandMadeDevice.Made made = device.last();
            Serving server =
                    cq.serve(
                            batch -> {
                                inHandler.countDown();
                                leaveHandler.await();
                                handled.incrementAndGet();
                            });
            assertThat(inHandler.await(20, TimeUnit.SECONDS)).isTrue();
            FutureTask<Integer> destroyer =
                    beginToDestroy(
                            () -> {
                                try {
                                    cq.close();
                                    return 0;
                                } catch (VerbsException e) {
                                    return -e.errno();
                                }
                            });
            leaveHandler.countDown(); // and polls
            refuse(destroyer);
            completions.set(1);
            made.event();
            for (int i = 0; handled.get() < 2; i++) {
                assertThat(i).as("the handler is called no more").isLessThan(2_000);
                Thread.sleep(10);
            }
            assertThat(server.threads()).hasSize(1);
            outcome = 0;
            cq.close();
            assertThat(server.join(Duration.ofSeconds(20))).isTrue();
        }
    }

    /** It is the API that says so, as soon as the device has agreed. */
    @Test
    void aPollOfADestroyedCqFindsItClosed() throws Exception {
        try (Context context = device.open()) {
            CompletionQueue cq = context.createDirectCq(1);
            FutureTask<Integer> destroyer =
                    beginToDestroy(
                            () -> {
                                cq.close();
                                return 0;
                            });
            FutureTask<String> poll =
                    meanwhile(
                            () -> {
                                try {
                                    return "polled " + cq.poll(WorkCompletions.allocate(1));
                                } catch (ClosedException e) {
                                    return "closed";
                                }
                            });
            agree(destroyer);
            assertThat(result(poll)).isEqualTo("closed");
        }
    }

    /** A thread that waits for a resize or a destroy leaves the processor to others. */
    @Test
    void whoWaitsDoesNotUseTheProcessor() throws Exception {
        IbvCq cq = cq(device.open());
        device.answers = verb -> verb.equals("resizeCq") ? attempt() : 0;
        FutureTask<Integer> resize = beginToDestroy(() -> cq.resize(2));
        long[] used = new long[1];
        long[] took = new long[1];
        FutureTask<Integer> poll =
                start(
                        false,
                        () -> {
                            var threads = ManagementFactory.getThreadMXBean();
                            long start = System.nanoTime();
                            long before = threads.getCurrentThreadCpuTime();
                            int n = poll(cq);
                            used[0] = threads.getCurrentThreadCpuTime() - before;
                            took[0] = System.nanoTime() - start;
                            return n;
                        });
        Thread.sleep(1_000);
        assertThat(poll.isDone()).isFalse();
        goOn.countDown();
        assertThat(result(resize)).isEqualTo(-Errno.EBUSY);
        assertThat(result(poll)).isZero();
        assertThat(used[0]).as("nanoseconds of processor time").isLessThan(took[0] / 3);
    }

    /** The leader, and a thread that tries to get an event, must not wait for the device. */
    @Test
    void aChannelThatIsBeingDestroyedIsPassedOver() throws Exception {
        Context context = device.open();
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        HandMadeDevice.Made made = device.last();
        IbvChannel ops = made.channel().ops();
        FutureTask<Integer> destroyer = beginToDestroy(() -> ops.close(() -> -attempt()));
        made.event();
        assertThat(result(start(virtual, () -> ops.ready(() -> true, 1, false)))).isZero();
        assertThat(result(start(virtual, ops::fetch))).isFalse();
        assertThat(result(start(virtual, channel::tryGetCqEvent))).isNull();
        FutureTask<CqEvent> waiter = meanwhile(channel::getCqEvent);
        refuse(destroyer);
        result(waiter).close();
        outcome = 0;
        cq.close();
        channel.close();
        Posix.close(made.channel().ends().write());
        context.close();
    }

    @Test
    void aDestroyThatThrowsIsARefusal() {
        IbvAh ah = device.addressHandle(device.bareContext());
        IllegalStateException planted = new IllegalStateException("planted");
        assertThatThrownBy(
                        () ->
                                ah.guard.destroy(
                                        () -> {
                                            throw planted;
                                        },
                                        -1))
                .isSameAs(planted);
        assertThat(ah.guard.enter()).isTrue();
        ah.guard.leave();
        goOn.countDown();
        outcome = 0;
        assertThat(ah.destroy()).isZero();
    }

    /** An interrupt ends no wait at a gate, and stays. */
    @Test
    void anInterruptStaysPending() throws Exception {
        IbvQp qp = device.queuePair(device.bareContext());
        FutureTask<Integer> destroyer = beginToDestroy(qp::destroy);
        FutureTask<String> send =
                meanwhile(
                        () -> {
                            Thread.currentThread().interrupt();
                            long result = qp.postSend(new SendWr(1, 0));
                            return result + ", " + Thread.interrupted();
                        });
        refuse(destroyer);
        assertThat(result(send)).isEqualTo(PostResult.OK + ", true");
    }
}
