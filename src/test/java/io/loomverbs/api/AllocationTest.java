package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.management.ManagementFactory;
import java.util.function.Consumer;

/** What is promised to allocate nothing, or little, in the steady state. */
@Tag("device")
@Timeout(240)
@SuppressWarnings("try") // explicit closes are what is tried
class AllocationTest {
    /**
     * Fewer where each event takes system calls; the JVM compiles after as many rounds as it needs.
     */
    private static final int ROUND = Fixture.DEVICE.equals("soft0") ? 10_000 : 2_000;

    private static final int MAX_ROUNDS = 100;

    /** Rounds are quick where nothing is to be done, and the JVM may be late with the compiler. */
    private static final long COMPILED_NANOS = 20_000_000_000L;

    /** Bytes of a {@link CqEvent}. */
    private static final int EVENT = 32;

    /** Less than one object in a hundred calls: what the JVM does on its own, now and then. */
    private static final double NOTHING = 0.2;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Fixture f = new Fixture();
    private final CompletionQueue sends = f.polled();
    private final CompletionQueue receives = f.direct();
    private final CompletionChannel channel = f.channel();
    private final CompletionQueue shared = f.on(channel);
    private final Fixture.Pair pair = f.pair(sends, receives);
    private final Fixture.Pair onChannel = f.pair(sends, shared);
    private final WorkCompletions batch = WorkCompletions.allocate(4);
    private final SendWorkRequest send = SendWorkRequest.allocate(1, 0).signaled();
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private interface Step {
        void run() throws Exception;
    }

    /**
     * Bytes that this thread allocates for each run of {@code step}, {@code around} aside, once the
     * JVM has compiled all of it: the least of some rounds, which ends the test early if it is
     * little enough.
     */
    private static double bytesOf(Step around, Step step, double enough) throws Exception {
        double least = Double.MAX_VALUE;
        long start = System.nanoTime();
        for (int round = 0;
                least > enough
                        && (round < MAX_ROUNDS || System.nanoTime() - start < COMPILED_NANOS);
                round++) {
            long total = 0;
            for (int i = 0; i < ROUND; i++) {
                around.run();
                long before = THREADS.getCurrentThreadAllocatedBytes();
                step.run();
                total += THREADS.getCurrentThreadAllocatedBytes() - before;
            }
            least = Math.min(least, (double) total / ROUND);
        }
        return least;
    }

    private static void nothing(Step step) throws Exception {
        assertThat(bytesOf(() -> {}, step, NOTHING)).isLessThanOrEqualTo(NOTHING);
    }

    /** The measurement itself sees a single small object. */
    @Test
    void anAllocationWouldBeSeen() throws Exception {
        Object[] sink = new Object[1];
        assertThat(bytesOf(() -> {}, () -> sink[0] = new Object(), 100)).isGreaterThanOrEqualTo(8);
    }

    /** Polling an empty CQ, and looking for an event where there is none. */
    @Test
    void lookingInVainAllocatesNothing() throws Exception {
        nothing(() -> receives.poll(batch));
        nothing(() -> shared.poll(batch));
        nothing(() -> channel.tryGetCqEvent());
        nothing(() -> channel.tryGetCq());
        nothing(() -> receives.tryGetCqEvent());
    }

    /** Arming. */
    @Test
    void reqNotifyAllocatesNothing() throws Exception {
        nothing(() -> receives.reqNotify(false));
        nothing(() -> shared.reqNotify(true));
    }

    /** A whole message with reused requests: post both, poll both, read the completion. */
    @Test
    void aMessageAllocatesNothing() throws Exception {
        aMessageAllocatesNothing(pair, pair.b::postRecv);
    }

    /** The same, received from a shared queue. */
    @Test
    void aMessageToASharedQueueAllocatesNothing() throws Exception {
        SharedReceiveQueue srq = f.own(f.pd.createSrq(SrqAttributes.of(4)));
        Fixture.Pair onSrq =
                f
                .new Pair(
                        QpType.RC,
                        QpConfig.of(QpType.RC, sends),
                        QpConfig.of(QpType.RC, receives).withSrq(srq));
        aMessageAllocatesNothing(onSrq, srq::postRecv);
    }

    private void aMessageAllocatesNothing(Fixture.Pair pair, Consumer<RecvWorkRequest> queue)
            throws Exception {
        SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        long[] sum = new long[1];
        int most = Differences.bytesOfMessage();
        Step message =
                () -> {
                    queue.accept(recv.clear().wrId(1).sge(pair.bMemory, 0, 64));
                    pair.a.postSend(
                            send.clear().wrId(2).send().sge(pair.aMemory, 0, 64).signaled());
                    for (int n = 0; n < 1; ) {
                        n += sends.poll(batch);
                    }
                    for (int n = 0; n < 1; ) {
                        n += receives.poll(batch);
                    }
                    if (batch.isSuccess(0) && batch.opcode(0) == WcOpcode.RECV) {
                        sum[0] += batch.wrId(0) + batch.byteLen(0);
                    }
                };
        assertThat(bytesOf(() -> {}, message, most)).isLessThanOrEqualTo(most + NOTHING);
        assertThat(sum[0]).isPositive();
    }

    /**
     * A blocking call that soft0 completes during the post: it neither parks nor makes a request.
     */
    @Test
    void aBlockingReadAllocatesNothing() throws Exception {
        if (!Fixture.DEVICE.equals("soft0")) {
            return; // it completes later, and the wait costs what an event costs
        }
        MemoryRegion memory = f.mr(128);
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, receives)));
        qp.connect(qp.endpoint(), QpAttributes.builder().access(Fixture.anything()).build());
        try (Requests requests = Requests.over(qp)) {
            RemoteRegion from = RemoteRegion.of(memory).slice(64, 64);
            Buffer to = Buffer.of(memory, 0, 64);
            nothing(() -> requests.read(from, to));
        }
    }

    /**
     * An event costs its one object, however it is received, and on a real device the wait for it;
     * acknowledging it costs nothing.
     */
    @Test
    void anEventCostsOneObject() throws Exception {
        CqEvent[] taken = new CqEvent[1];
        for (boolean direct : new boolean[] {true, false}) {
            CompletionQueue cq = direct ? receives : shared;
            Fixture.Pair p = direct ? pair : onChannel;
            Step raise =
                    () -> {
                        if (taken[0] != null) {
                            taken[0].close();
                        }
                        raise(p, cq);
                    };
            assertThat(
                            bytesOf(
                                    raise,
                                    () ->
                                            taken[0] =
                                                    direct ? cq.getCqEvent() : channel.getCqEvent(),
                                    Differences.bytesOfEvent() + NOTHING))
                    .isLessThanOrEqualTo(Differences.bytesOfEvent() + NOTHING);
            Step raiseAndTake =
                    () -> {
                        raise.run();
                        taken[0] = direct ? cq.getCqEvent() : channel.getCqEvent();
                    };
            assertThat(bytesOf(raiseAndTake, () -> taken[0].close(), NOTHING))
                    .isLessThanOrEqualTo(NOTHING);
            taken[0].close();
            taken[0] = null;
            assertThat(bytesOf(() -> takeOnly(raise, cq, direct), () -> cq.ackEvents(1), NOTHING))
                    .isLessThanOrEqualTo(NOTHING);
        }
    }

    /**
     * Received as its CQ alone, a ready event costs no object; on a real device, the wait for it.
     */
    @Test
    void anEventWithoutAnObjectCostsNone() throws Exception {
        CompletionQueue[] taken = new CompletionQueue[1];
        double most = Differences.bytesOfEvent() - EVENT + NOTHING;
        Step raise =
                () -> {
                    if (taken[0] != null) {
                        taken[0].ackEvents(1);
                    }
                    raise(onChannel, shared);
                };
        assertThat(bytesOf(raise, () -> taken[0] = channel.getCq(), most))
                .isLessThanOrEqualTo(most);
        taken[0].ackEvents(1);
    }

    private void raise(Fixture.Pair p, CompletionQueue cq) {
        p.b.postRecv(recv);
        cq.reqNotify(false);
        p.a.postSend(send);
        while (sends.poll(batch) == 0) {
            Thread.onSpinWait();
        }
        while (cq.poll(batch) == 0) {
            Thread.onSpinWait();
        }
    }

    private void takeOnly(Step raise, CompletionQueue cq, boolean direct) throws Exception {
        raise.run();
        CqEvent event = direct ? cq.getCqEvent() : channel.getCqEvent();
        assertThat(event.cq() == cq).isTrue();
    }
}
