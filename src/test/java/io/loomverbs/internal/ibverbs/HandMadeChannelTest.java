package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ibverbs.HandMadeDevice.Made;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The real {@code ibv_get_cq_event}, {@code ibv_ack_cq_events}, {@code ibv_get_async_event} and
 * destroys, on channels made by hand, where there is no device.
 */
@Timeout(60)
@ParameterizedClass
@ValueSource(booleans = {true, false})
class HandMadeChannelTest {
    private final boolean virtual;
    private HandMadeDevice device;
    private Context context;

    HandMadeChannelTest(boolean virtual) {
        this.virtual = virtual;
    }

    private interface Body {
        Object run() throws Exception;
    }

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create();
        context = device.open();
    }

    @AfterEach
    void close() {
        if (context != null) {
            context.close();
        }
    }

    private CompletableFuture<Object> start(Body body) {
        return start(new Thread[1], body);
    }

    private CompletableFuture<Object> start(Thread[] thread, Body body) {
        CompletableFuture<Object> result = new CompletableFuture<>();
        Runnable task =
                () -> {
                    try {
                        result.complete(body.run());
                    } catch (Throwable t) {
                        result.completeExceptionally(t);
                    }
                };
        thread[0] =
                virtual ? Thread.ofVirtual().unstarted(task) : Thread.ofPlatform().unstarted(task);
        thread[0].start();
        return result;
    }

    private static Object result(CompletableFuture<Object> of) throws Exception {
        return of.get(20, TimeUnit.SECONDS);
    }

    private static Throwable failure(CompletableFuture<Object> of) throws Exception {
        try {
            throw new AssertionError("it did not fail: " + of.get(20, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }

    /** Long enough for a thread to be in the kernel. */
    private static void settle() throws InterruptedException {
        Thread.sleep(50);
    }

    private static void destroy(CompletionChannel channel, Made cq) {
        channel.close();
        Posix.close(writeEnd(cq));
    }

    private static int writeEnd(Made cq) {
        return cq.channel().ends().write();
    }

    @Test
    void anEventIsDeliveredAndAcknowledgedOnceByTheDestroy() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(10, "mine", channel, 0);
        Made made = device.last();
        for (int i = 0; i < 3; i++) {
            CompletableFuture<Object> waiting =
                    start(
                            () -> {
                                try (CqEvent event = channel.getCqEvent()) {
                                    return event.cqContext();
                                }
                            });
            settle();
            made.event();
            assertThat(result(waiting)).isEqualTo("mine");
        }
        assertThat(channel.tryGetCqEvent()).isNull();
        assertThat(made.acked()).isZero();
        cq.close();
        assertThat(made.acked()).isEqualTo(3);
        destroy(channel, made);
    }

    /**
     * Libibverbs counts acknowledgements in 32 bits, without a sign, and compares them with what
     * the kernel counts in as many. So much may have been read: what it is told counts modulo 2^32.
     */
    @ParameterizedTest
    @ValueSource(longs = {(1L << 31) - 2, (1L << 32) - 3, (1L << 32) - 1, (5L << 32) - 2})
    void countersWrap(long readBefore) throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        UnackedReads reads = device.lastCq().reads;
        MethodHandles.privateLookupIn(UnackedReads.class, MethodHandles.lookup())
                .findVarHandle(UnackedReads.class, "reads", long.class)
                .setVolatile(reads, readBefore);
        for (int i = 0; i < 3; i++) {
            made.event();
            channel.getCqEvent().close();
        }
        cq.close();
        assertThat(made.acked()).isEqualTo((int) (readBefore + 3));
        destroy(channel, made);
    }

    /** One that is read while its CQ is being destroyed takes the counter over the end. */
    @Test
    void aStragglerWrapsTheCounter() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        made.acked(-2);
        made.event();
        channel.getCqEvent().close();
        device.onDriverCall =
                argument -> {
                    if (argument == made.address() && made.written() == 1) {
                        made.event();
                        while (made.channel().ops().fetch()) {}
                    }
                };
        cq.close();
        device.onDriverCall = argument -> {};
        assertThat(made.acked()).isZero();
        destroy(channel, made);
    }

    /** Only {@code tryGetCqEvent} reads a channel that no thread waits on. */
    @Test
    void aForeignLoopFindsItsEvents() throws Exception {
        CompletionChannel mine = context.createCompChannel();
        CompletionQueue a = context.createCq(10, "a", mine, 0);
        Made madeA = device.last();
        CompletionQueue b = context.createDirectCq(10);
        Made madeB = device.last();
        // The channel has been waited on, so the poller knows it.
        assertThat(mine.getCqEvent(Duration.ofMillis(1))).isNull();
        CompletableFuture<Object> other = start(b::getCqEvent);
        settle();
        madeA.event();
        madeA.event();
        settle();
        assertThat(Posix.readable(mine.fd())).isEqualTo(16);
        assertThat(other).isNotDone();
        try (CqEvent event = mine.tryGetCqEvent()) {
            assertThat(event.cq()).isSameAs(a);
        }
        assertThat(Posix.readable(mine.fd())).isEqualTo(8);
        // A thread that waits after all is woken.
        CompletableFuture<Object> waiter = start(mine::getCqEvent);
        ((CqEvent) result(waiter)).close();
        madeB.event();
        ((CqEvent) result(other)).close();
        a.close();
        b.close();
        assertThat(madeA.acked()).isEqualTo(2);
        assertThat(madeB.acked()).isEqualTo(1);
        destroy(mine, madeA);
        assertThatThrownBy(mine::fd).isInstanceOf(ClosedException.class);
    }

    @Test
    void directCqsOfOneChannelAreRouted() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        int n = 20;
        List<CompletionQueue> cqs = new ArrayList<>();
        List<Made> made = new ArrayList<>();
        List<CompletableFuture<Object>> waiting = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            CompletionQueue cq = context.createDirectCq(1, i, channel, 0);
            cqs.add(cq);
            made.add(device.last());
            waiting.add(start(cq::getCqEvent));
        }
        for (int i = n - 1; i >= 0; i--) {
            made.get(i).event();
            try (CqEvent event = (CqEvent) result(waiting.get(i))) {
                assertThat(event.cq()).isSameAs(cqs.get(i));
            }
        }
        cqs.forEach(CompletionQueue::close);
        made.forEach(cq -> assertThat(cq.acked()).isEqualTo(1));
        destroy(channel, made.getFirst());
    }

    /**
     * One that another thread reads while the CQ is being destroyed. It is acknowledged before it
     * is raised: the raising thread may have to park, while the destroyer holds a carrier.
     */
    @Test
    void aStragglerIsAcknowledgedAtOnce() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        made.event();
        channel.getCqEvent().close();
        assertThat(made.acked()).isZero();
        int[] acked = new int[2];
        device.onDriverCall =
                argument -> {
                    if (argument == made.address() && acked[0] == 0) { // destroy_cq of the driver
                        acked[0] = made.acked();
                        made.event();
                        while (made.channel().ops().fetch()) {
                            acked[1] = made.acked();
                        }
                    }
                };
        cq.close();
        device.onDriverCall = argument -> {};
        assertThat(acked).containsExactly(1, 2);
        assertThat(made.ackedWhenRaised()).isEqualTo(2);
        assertThat(made.acked()).isEqualTo(made.written());
        destroy(channel, made);
    }

    /**
     * The kernel reports an error indefinitely, also of a descriptor that no thread wants to read.
     */
    @Test
    void aFailedChannelThatNobodyWaitsForIsToldOfOnce() throws Exception {
        AtomicInteger rounds = new AtomicInteger();
        HandMadeDevice counted =
                HandMadeDevice.create(
                        () ->
                                new Poller(new SchedulerCarriers(), "test-poller") {
                                    @Override
                                    public int await(long nanos, Leader leader) {
                                        rounds.incrementAndGet();
                                        return super.await(nanos, leader);
                                    }
                                });
        if (counted == null) {
            return;
        }
        counted.nextEnds = Posix.terminal();
        Context of = counted.open();
        CompletionChannel channel = of.createCompChannel();
        CompletionQueue shared = of.createCq(1, null, channel, 0);
        Made made = counted.last();
        CompletionQueue elsewhere = of.createDirectCq(1);
        Made madeElsewhere = counted.last();
        CompletableFuture<Object> first = start(channel::getCqEvent);
        settle();
        made.event();
        ((CqEvent) result(first)).close();
        CompletableFuture<Object> other = start(elsewhere::getCqEvent);
        settle();
        int before = rounds.get();
        Posix.close(writeEnd(made));
        settle();
        assertThat(rounds.get() - before).isLessThan(10);
        madeElsewhere.event();
        ((CqEvent) result(other)).close();
        assertIsEio(failure(start(channel::getCqEvent)));
        shared.close();
        elsewhere.close();
        channel.close();
        of.close();
    }

    @Test
    void aFailedChannelFailsEverybodyWithItsCause() throws Exception {
        device.nextEnds = Posix.terminal();
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue shared = context.createCq(1, null, channel, 0);
        Made made = device.last();
        CompletionQueue direct = context.createDirectCq(1, null, channel, 0);
        CompletionQueue elsewhere = context.createDirectCq(1);
        Made madeElsewhere = device.last();
        List<CompletableFuture<Object>> waiting =
                List.of(
                        start(channel::getCqEvent),
                        start(channel::getCqEvent),
                        start(direct::getCqEvent));
        CompletableFuture<Object> other = start(elsewhere::getCqEvent);
        settle();
        made.event();
        settle();
        Posix.close(writeEnd(made)); // read(2) says EIO from now on
        int received = 0;
        for (CompletableFuture<Object> one : waiting) {
            try {
                ((CqEvent) one.get(20, TimeUnit.SECONDS)).close();
                received++;
            } catch (ExecutionException e) {
                assertIsEio(e.getCause());
            }
        }
        assertThat(received).isEqualTo(1);
        assertIsEio(failure(start(channel::getCqEvent)));
        assertIsEio(failure(start(direct::getCqEvent)));
        assertThatThrownBy(channel::tryGetCqEvent).isInstanceOf(VerbsException.class);
        CompletionQueue late = context.createDirectCq(1, null, channel, 0);
        assertIsEio(failure(start(late::getCqEvent)));
        // Other channels go on.
        madeElsewhere.event();
        ((CqEvent) result(other)).close();
        late.close();
        shared.close();
        direct.close();
        elsewhere.close();
        assertThat(made.acked()).isEqualTo(1);
        channel.close();
    }

    private static void assertIsEio(Throwable failure) {
        assertThat(failure).isInstanceOf(VerbsException.class).hasMessageContaining("EIO");
    }

    @Test
    void interruptTimeoutAndCloseReachWhoIsInTheKernel() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createDirectCq(1, null, channel, 0);
        Made made = device.last();
        Thread[] thread = new Thread[1];
        CompletableFuture<Object> one = start(thread, channel::getCqEvent);
        settle();
        long start = System.nanoTime();
        thread[0].interrupt();
        assertThat(failure(one)).isInstanceOf(InterruptedException.class);
        assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
        start = System.nanoTime();
        assertThat(result(start(() -> channel.getCqEvent(Duration.ofMillis(30)) == null)))
                .isEqualTo(true);
        assertThat(System.nanoTime() - start).isBetween(30_000_000L, 20_000_000_000L);
        CompletableFuture<Object> two = start(cq::getCqEvent);
        settle();
        cq.close();
        assertThat(failure(two)).isInstanceOf(ClosedException.class);
        CompletableFuture<Object> three = start(channel::getCqEvent);
        settle();
        destroy(channel, made);
        assertThat(failure(three)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(channel::getCqEvent).isInstanceOf(ClosedException.class);
    }

    @Test
    void aChannelIsNotDestroyedWhileCqsUseIt() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        CompletableFuture<Object> waiter = start(channel::getCqEvent);
        settle();
        assertThat(made.channel().destroy()).isEqualTo(-16); // libibverbs itself says EBUSY
        made.event();
        ((CqEvent) result(waiter)).close();
        cq.close();
        destroy(channel, made);
    }

    /** Waits end only when the device has agreed to the close. */
    @Test
    void aRefusedDestroyTellsNobody() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        cq.close();
        made.channel().memory().set(ValueLayout.JAVA_INT, HandMadeMemory.CHANNEL_REFCNT, 1);
        CompletableFuture<Object> waiter = start(channel::getCqEvent);
        settle();
        assertThatThrownBy(channel::close)
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EBUSY");
        settle();
        assertThat(waiter).isNotDone();
        made.channel().memory().set(ValueLayout.JAVA_INT, HandMadeMemory.CHANNEL_REFCNT, 0);
        destroy(channel, made);
        assertThat(failure(waiter)).isInstanceOf(ClosedException.class);
    }

    /** Not even waits for asynchronous events end. */
    @Test
    void aRefusedCloseOfTheDeviceTellsNobody() throws Exception {
        CompletableFuture<Object> waiter = start(context::getAsyncEvent);
        settle();
        device.refusesClose = Errno.EBUSY;
        assertThatThrownBy(context::close)
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EBUSY");
        settle();
        assertThat(waiter).isNotDone();
        device.portEvent(1, Ibv.EVENT_PORT_ACTIVE);
        ((AsyncEvent) result(waiter)).close();
        CompletionQueue cq = context.createDirectCq(1);
        Made made = device.last();
        CompletableFuture<Object> event = start(cq::getCqEvent);
        settle();
        made.event();
        ((CqEvent) result(event)).close();
        cq.close();
        CompletableFuture<Object> last = start(context::getAsyncEvent);
        settle();
        device.refusesClose = 0;
        context.close();
        assertThat(failure(last)).isInstanceOf(ClosedException.class);
    }

    /** Such as when there is no memory left. No thread is left waiting, nothing is left behind. */
    @Test
    void aDestroyThatThrowsLeavesAChannelWhole() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, "mine", channel, 0);
        Made made = device.last();
        CompletableFuture<Object> waiter = start(channel::getCqEvent);
        settle();
        OutOfMemoryError planted = new OutOfMemoryError("planted");
        assertThatThrownBy(
                        () ->
                                made.channel()
                                        .ops()
                                        .close(
                                                () -> {
                                                    throw planted;
                                                }))
                .isSameAs(planted);
        made.event();
        ((CqEvent) result(waiter)).close();
        cq.close();
        destroy(channel, made);
    }

    @Test
    void aDestroyThatThrowsLeavesACqWhole() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, "mine", channel, 0);
        Made made = device.last();
        made.event();
        channel.getCqEvent().close();
        OutOfMemoryError planted = new OutOfMemoryError("planted");
        IbvCq ops = device.lastCq();
        assertThatThrownBy(
                        () ->
                                ops.destroy(
                                        () -> {
                                            throw planted;
                                        }))
                .isSameAs(planted);
        assertThat(made.acked()).isEqualTo(1);
        assertThat(cq.poll(WorkCompletions.allocate(1))).isZero();
        made.event();
        channel.getCqEvent().close();
        assertThat(made.acked()).isEqualTo(1);
        cq.close();
        assertThat(made.acked()).isEqualTo(2);
        destroy(channel, made);
    }

    /** Drivers answer one number or another. */
    @ParameterizedTest
    @ValueSource(ints = {-1, -2, -Errno.EIO, -Errno.EINVAL})
    void aDriverThatCannotPollHasTheCqInError(int result) throws Exception {
        CompletionQueue cq = context.createDirectCq(7);
        WorkCompletions batch = WorkCompletions.allocate(1);
        device.driverResult = result;
        assertThatThrownBy(() -> cq.poll(batch))
                .isInstanceOf(VerbsException.class)
                .hasMessageStartingWith("ibv_poll_cq: EIO: ")
                .hasMessageContaining("which holds 7 completions, is in error");
        device.driverResult = 0;
        assertThat(cq.poll(batch)).isZero();
        cq.close();
    }

    @Test
    void asynchronousEventsFindTheirObject() throws Exception {
        CompletionQueue cq = context.createDirectCq(1);
        Made made = device.last();
        CompletableFuture<Object> waiter = start(cq::getCqEvent);
        settle();
        device.portEvent(1, Ibv.EVENT_PORT_ERR);
        try (AsyncEvent event = context.getAsyncEvent(Duration.ofSeconds(20))) {
            assertThat(event.type()).isEqualTo(AsyncEventType.PORT_ERR);
            assertThat(event.port()).isEqualTo(1);
        }
        assertThat(waiter).isNotDone();
        // No thread waits for asynchronous events, and yet the waiter of the CQ learns of this one.
        device.asyncEvent(made, Ibv.EVENT_CQ_ERR);
        assertIsEio(failure(waiter));
        try (AsyncEvent event = context.getAsyncEvent()) {
            assertThat(event.type()).isEqualTo(AsyncEventType.CQ_ERR);
        }
        assertThat(made.asyncAcked()).isEqualTo(1);
        CompletableFuture<Object> async = start(context::getAsyncEvent);
        settle();
        device.portEvent(1, Ibv.EVENT_PORT_ACTIVE);
        ((AsyncEvent) result(async)).close();
        assertThat(context.getAsyncEvent(Duration.ZERO)).isNull();
        cq.close();
    }

    @Test
    void twoThousandCqsWithAHandlerEach() throws Exception {
        int n = 2_000;
        int rounds = 3;
        CompletionChannel channel = context.createCompChannel();
        List<CompletionQueue> cqs = new ArrayList<>();
        List<Made> made = new ArrayList<>();
        List<CompletableFuture<Object>> handlers = new ArrayList<>();
        AtomicInteger received = new AtomicInteger();
        for (int i = 0; i < n; i++) {
            CompletionQueue cq = context.createDirectCq(1, i, channel, 0);
            cqs.add(cq);
            made.add(device.last());
            handlers.add(
                    start(
                            () -> {
                                for (int r = 0; r < rounds; r++) {
                                    cq.getCqEvent().close();
                                    received.incrementAndGet();
                                }
                                return true;
                            }));
        }
        for (int r = 0; r < rounds; r++) {
            made.forEach(Made::event);
        }
        for (CompletableFuture<Object> handler : handlers) {
            result(handler);
        }
        assertThat(received).hasValue(n * rounds);
        cqs.forEach(CompletionQueue::close);
        made.forEach(cq -> assertThat(cq.acked()).isEqualTo(rounds));
        destroy(channel, made.getFirst());
    }

    /** On as many threads as there are rounds, each of which leaves with its event. */
    @Test
    void channelsThatComeAndGoLeaveNothingBehind() throws Exception {
        int before = 0;
        CompletionQueue staying = context.createDirectCq(1);
        Made madeStaying = device.last();
        CompletableFuture<Object> stays = start(staying::getCqEvent); // leads, mostly
        for (int i = 0; i < 1_000; i++) {
            CompletionChannel channel = context.createCompChannel();
            CompletionQueue cq = context.createCq(1, i, channel, 0);
            Made made = device.last();
            made.event();
            try (CqEvent event = channel.getCqEvent()) {
                assertThat(event.cqContext()).isEqualTo(i);
            }
            made.event(); // and one that no thread reads, or the leader, a moment too late
            cq.close();
            assertThat(made.acked()).isBetween(1, 2);
            destroy(channel, made);
            if (i == 100) {
                before = openFiles();
            }
        }
        assertThat(openFiles()).isLessThanOrEqualTo(before + 2);
        madeStaying.event();
        ((CqEvent) result(stays)).close();
        staying.close();
    }

    private static int openFiles() {
        String[] open = new File("/proc/self/fd").list();
        assertThat(open).isNotNull();
        return open.length;
    }

    /** The kernel queues no more completions in a CQ that has overrun: a poll says so. */
    @Test
    void aCqThatHasOverrunCannotBePolledAnyMore() throws Exception {
        CompletionQueue cq = context.createDirectCq(1);
        Made made = device.last();
        MemorySegment wc = MemorySegment.ofArray(new long[WcStruct.BYTES / Long.BYTES]);
        assertThat(device.lastCq().poll(wc, 0, 1)).isZero();
        device.asyncEvent(made, Ibv.EVENT_CQ_ERR);
        context.getAsyncEvent(Duration.ofSeconds(20)).close();
        assertThat(device.lastCq().poll(wc, 0, 1)).isEqualTo(-Errno.EIO);
        cq.close();
    }

    /** An event of a CQ that is not of this library is acknowledged, and nobody gets it. */
    @Test
    void anEventOfAnUnknownCqIsAcknowledged() throws Exception {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        made.isOf(-1);
        made.event();
        assertThat(channel.tryGetCqEvent()).isNull();
        assertThat(made.acked()).isOne();
        cq.close();
        assertThat(made.acked()).isOne();
        destroy(channel, made);
    }

    /** The context keeps a channel until it is destroyed, and no longer. */
    @Test
    void aDestroyedChannelIsKeptByNothing() {
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue cq = context.createCq(1, null, channel, 0);
        Made made = device.last();
        NativeIds<?> objects = made.channel().ops().context().objects;
        cq.close();
        destroy(channel, made);
        for (int place = 0; place < objects.places(); place++) {
            assertThat(objects.at(place) instanceof IbvChannel).isFalse();
        }
    }
}
