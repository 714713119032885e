package io.loomverbs;

import static io.loomverbs.internal.event.Collected.assertCollected;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Fixture.Source;
import io.loomverbs.Fixture.Task;
import io.loomverbs.internal.device.Ibv;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** What may be closed when, and what a close waits for, drops, wakes and leaves alone. */
@Tag("device")
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class LifecycleTest {
    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(Thread.interrupted()).isFalse();
        f.close();
    }

    private static void refused(ThrowingCallable close, String errno, Object... named) {
        assertThatThrownBy(close)
                .isInstanceOfSatisfying(
                        VerbsException.class,
                        e -> {
                            assertThat(e.errnoName()).isEqualTo(errno);
                            for (Object name : named) {
                                assertThat(e).hasMessageContaining(String.valueOf(name));
                            }
                        });
    }

    /** Raises an event of a CQ, of which nobody has taken the completion. */
    private static void raise(Source source, CompletionQueue cq) {
        cq.reqNotify(false);
        source.complete(1);
    }

    private CqEvent take(CompletionQueue cq) throws InterruptedException {
        CqEvent event =
                cq.isDirect()
                        ? cq.getCqEvent(Fixture.PATIENCE)
                        : cq.channel().getCqEvent(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        assertThat(event.cq()).isSameAs(cq);
        return event;
    }

    private CompletionQueue cq(boolean direct) {
        return direct ? f.direct() : f.on(f.channel());
    }

    /** Whatever is in use refuses to close with EBUSY, says what uses it, and goes on working. */
    @Test
    void whatIsInUseStaysOpen() throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue shared = f.on(channel);
        CompletionQueue direct = f.own(f.context.createDirectCq(16, "mine", channel, 0));
        Fixture.Pair pair = f.pair(shared, direct);
        AddressHandle ah = f.own(f.pd.createAh(Fixture.addressOf(pair.b)));

        refused(
                channel::close,
                "EBUSY",
                "ibv_destroy_comp_channel",
                channel + " is used by 2 CQs (" + shared + ", " + direct + "): close them first");
        String one = " is used by 1 queue pair (%s): close it first";
        refused(shared::close, "EBUSY", "ibv_destroy_cq", shared + one.formatted(pair.a));
        refused(() -> direct.close(Duration.ZERO), "EBUSY", direct + one.formatted(pair.b));
        refused(
                f.pd::close,
                "EBUSY",
                "ibv_dealloc_pd",
                f.pd + " is used by 2 queue pairs (",
                pair.a, // numbers of queue pairs are used again: either may be the lower one
                pair.b,
                "), 1 address handle (" + ah + ") and 2 memory regions (",
                pair.aMemory,
                pair.bMemory);
        refused(
                f.context::close,
                "EBUSY",
                "ibv_close_device",
                "2 CQs (%s, %s), 1 completion channel (%s) and 1 protection domain (%s): close"
                        .formatted(shared, direct, channel, f.pd));

        shared.reqNotify(false);
        direct.reqNotify(false);
        pair.message(5, 8);
        try (CqEvent event = channel.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event.cq()).isSameAs(shared);
        }
        try (CqEvent event = direct.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event.cqContext()).isEqualTo("mine");
        }
        assertThat(Fixture.pollOne(shared).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(Fixture.pollOne(direct).status()).isEqualTo(WcStatus.SUCCESS);

        pair.a.close();
        refused(direct::close, "EBUSY", direct + " is used by 1 queue pair (" + pair.b + ")");
        shared.close();
        pair.b.close();
        refused(channel::close, "EBUSY", "by 1 CQ (" + direct + "): close it first");
        direct.close();
        channel.close();
        pair.aMemory.close();
        refused(f.pd::close, "EBUSY", "1 address handle", " and 1 memory region");
        pair.bMemory.close();
        refused(f.pd::close, "EBUSY", "by 1 address handle (" + ah + "): close it first");
        ah.close();
        refused(f.context::close, "EBUSY", "by 1 protection domain (" + f.pd + ")");
        f.pd.close();
    }

    /** Of many users the oldest are named, and the others counted, also when some have gone. */
    @Test
    void ofManyUsersTheOldestAreNamed() throws Exception {
        CompletionChannel channel = f.channel();
        List<CompletionQueue> cqs = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            cqs.add(f.on(channel));
        }
        refused(channel::close, "EBUSY", firstOf(cqs) + " and 9 more): close them first");
        for (int i = 0; i < 8; i++) {
            cqs.removeFirst().close();
        }
        refused(channel::close, "EBUSY", firstOf(cqs) + " and 1 more): close them first");
        cqs.removeFirst().close();
        refused(channel::close, "EBUSY", firstOf(cqs) + "): close them first");
    }

    private static String firstOf(List<CompletionQueue> cqs) {
        return " is used by %d CQs (%s, %s, %s"
                .formatted(cqs.size(), cqs.get(0), cqs.get(1), cqs.get(2));
    }

    /** A close waits, parked, for the acknowledgement of every event that was received. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closeWaitsForAcknowledgements(boolean direct) throws Exception {
        CompletionQueue cq = cq(direct);
        Source source = f.source(cq);
        List<CqEvent> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            raise(source, cq);
            held.add(take(cq));
        }
        assertThat(cq.unackedEvents()).isEqualTo(3);
        source.close();
        for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
            f.start(
                    kind,
                    "closer",
                    () -> {
                        cq.close();
                        return null;
                    });
        }
        Task<?> closer =
                f.start(
                                "timed closer",
                                () -> {
                                    cq.close(Duration.ofMinutes(5));
                                    return null;
                                })
                        .parked();
        held.get(0).close();
        cq.ackEvents(1);
        closer.parked();
        assertThat(cq.unackedEvents()).isEqualTo(1);

        held.get(2).close();

        closer.get();
        assertThat(cq.unackedEvents()).isZero();
        assertThatThrownBy(() -> cq.reqNotify(false)).isInstanceOf(ClosedException.class);
    }

    /** Interrupting a close does not end it; the interrupt stays pending. */
    @Test
    void anInterruptDoesNotEndAClose() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent held = take(cq);
        source.close();
        for (Thread.Builder kind : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
            Task<Boolean> closer =
                    f.start(
                                    kind,
                                    "closer",
                                    () -> {
                                        try {
                                            cq.close(Duration.ofMillis(60));
                                            return false;
                                        } catch (VerbsException e) {
                                            return Thread.interrupted();
                                        }
                                    })
                            .parked();
            closer.thread.interrupt();
            assertThat(closer.get()).isTrue();
        }
        held.close();
        Thread.currentThread().interrupt();
        cq.close();
        assertThat(Thread.interrupted()).isTrue();
    }

    /** close(Duration) gives up with ETIMEDOUT, names what is held by whom, and leaves the CQ. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closeGivesUpInTime(boolean direct) throws Exception {
        CompletionQueue cq = cq(direct);
        Source source = f.source(cq);
        raise(source, cq);
        Task<CqEvent> holder = f.start("the-holder", () -> take(cq));
        CqEvent held = holder.get();
        source.close();

        refused(() -> cq.close(Duration.ZERO), "ETIMEDOUT", cq, "1 unacknowledged", "the-holder");
        long start = System.nanoTime();
        refused(
                () -> cq.close(Duration.ofMillis(30)),
                "ETIMEDOUT",
                "after 0.03 s",
                "1 unacknowledged event,",
                "the-holder");
        assertThat(System.nanoTime() - start).isBetween(30_000_000L, 10_000_000_000L);

        Source again = f.source(cq);
        raise(again, cq);
        take(cq).close();
        assertThat(cq.unackedEvents()).isEqualTo(1);
        again.close();
        held.close();
        cq.close(Duration.ZERO);
    }

    /** Acknowledging more than was received is refused, and changes nothing. */
    @Test
    void overAckIsRefused() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        assertThatThrownBy(() -> cq.ackEvents(1))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("n is 1", cq.toString(), "0 unacknowledged");
        raise(source, cq);
        assertThatThrownBy(() -> cq.ackEvents(1))
                .as("an event that nobody has received")
                .isExactlyInstanceOf(IllegalStateException.class);
        CqEvent event = take(cq);
        for (int n : new int[] {2, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> cq.ackEvents(n))
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("n is " + n, cq.toString(), "1 unacknowledged");
            assertThat(cq.unackedEvents()).isEqualTo(1);
        }
        cq.ackEvents(1);
        assertThatThrownBy(event::close)
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining(cq.toString());
        event.close();
    }

    /** An event is acknowledged once, however often and by whomever it is closed. */
    @Test
    void aDoubleAckIsHarmless() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent first = take(cq);
        raise(source, cq);
        CqEvent second = take(cq);
        assertThat(first).hasToString("event of " + cq + ", unacknowledged");
        CyclicBarrier together = new CyclicBarrier(4);
        List<Task<?>> ackers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ackers.add(
                    f.start(
                            Thread.ofPlatform(),
                            "acker",
                            () -> {
                                together.await();
                                first.close();
                                first.close();
                                return null;
                            }));
        }
        for (Task<?> acker : ackers) {
            acker.get();
        }
        assertThat(first).hasToString("event of " + cq + ", acknowledged");
        assertThat(cq.unackedEvents()).isEqualTo(1);
        second.close();
        source.close();
        cq.close();
        first.close();
        assertThat(second.cq()).isSameAs(cq);
    }

    /** Events that nobody has received go with their CQ; those of others stay on the channel. */
    @Test
    void undeliveredEventsGoWithTheirCq() throws Exception {
        CompletionChannel channel = f.channel();
        List<CompletionQueue> cqs = List.of(f.on(channel), f.on(channel), f.on(channel));
        List<Source> sources = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 3; i++) {
                if (round == 0) {
                    sources.add(f.source(cqs.get(i)));
                }
                raise(sources.get(i), cqs.get(i));
            }
        }
        sources.get(1).close();

        cqs.get(1).close(Duration.ZERO);

        List<CompletionQueue> order = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            try (CqEvent event = channel.getCqEvent(Fixture.PATIENCE)) {
                order.add(event.cq());
            }
        }
        assertThat(order).containsExactly(cqs.get(0), cqs.get(2), cqs.get(0), cqs.get(2));
        assertThat(channel.tryGetCqEvent()).isNull();

        CompletionQueue direct = f.direct();
        Source source = f.source(direct);
        raise(source, direct);
        source.close();
        direct.close(Duration.ZERO);
    }

    /**
     * A close that fails keeps events that came before and during it, and wakes waiters with them.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailedCloseKeepsEvents(boolean direct) throws Exception {
        CompletionQueue cq = cq(direct);
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent held = take(cq);
        source.close();
        Task<?> closer =
                f.start(
                                "closer",
                                () -> {
                                    refused(() -> cq.close(Duration.ofSeconds(2)), "ETIMEDOUT", cq);
                                    return null;
                                })
                        .parked();
        // While it is closing: nothing is delivered, though events come up.
        Source late = f.source(cq);
        raise(late, cq);
        Task<CqEvent> waiter = f.start("waiter", () -> take(cq)).parked();
        if (!closer.isDone()) {
            assertThat(cq.unackedEvents()).isEqualTo(1);
        }

        closer.get();

        waiter.get().close();
        assertThat(cq.unackedEvents()).isEqualTo(1);
        held.close();
        late.close();
    }

    /** A queue pair that is created on a CQ while it is closing makes that close fail. */
    @Test
    void aNewUserStopsAClose() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent held = take(cq);
        source.close();
        Task<?> closer =
                f.start(
                                "closer",
                                () -> {
                                    cq.close();
                                    return null;
                                })
                        .parked();
        Source late = f.source(cq);
        held.close();

        assertThat(closer.failure())
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("EBUSY"));

        raise(late, cq);
        take(cq).close();
        late.close();
    }

    /** The serve handler may close the CQ that it serves. */
    @Test
    void aServeHandlerClosesItsOwnCq() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread server =
                cq.serve(
                        batch -> {
                            try {
                                source.close();
                                cq.close();
                            } catch (Throwable e) {
                                failure.set(e);
                            }
                        });
        source.complete(1);
        assertThat(server.join(Fixture.PATIENCE)).isTrue();
        assertThat(failure).hasNullValue();
        assertThatThrownBy(() -> cq.reqNotify(false)).isInstanceOf(ClosedException.class);
    }

    /** Who closes the CQ of an event that it holds is told EDEADLK soon, and can go on. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aHandlerCannotWaitForItself(boolean direct) throws Exception {
        CompletionQueue cq = cq(direct);
        Source source = f.source(cq);
        raise(source, cq);
        Task<Long> handler =
                f.start(
                        "handler",
                        () -> {
                            CqEvent event = take(cq);
                            source.close();
                            long start = System.nanoTime();
                            refused(cq::close, "EDEADLK", cq, "1 unacknowledged", "itself");
                            long took = System.nanoTime() - start;
                            Source again = f.source(cq);
                            raise(again, cq);
                            take(cq).close();
                            again.close();
                            event.close();
                            cq.close();
                            return took;
                        });
        assertThat(Duration.ofNanos(handler.get()))
                .isBetween(Duration.ofMillis(500), Duration.ofSeconds(5));
    }

    /** The same if the handler has acknowledged earlier events by count, as is usual in verbs. */
    @Test
    void aHandlerThatAcksByCountCannotWaitForItself() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        Task<?> handler =
                f.start(
                        "handler",
                        () -> {
                            for (int i = 0; i < 5; i++) {
                                raise(source, cq);
                                take(cq);
                                if (i < 4) {
                                    cq.ackEvents(1);
                                }
                            }
                            source.close();
                            refused(cq::close, "EDEADLK", cq, "1 unacknowledged");
                            cq.ackEvents(1);
                            cq.close();
                            return null;
                        });
        // It must end by itself; what follows only keeps a defect from hanging the test.
        if (!handler.thread.join(Duration.ofSeconds(8))) {
            cq.ackEvents(1);
        }
        handler.get();
    }

    /** Who has acknowledged all of its events by count waits for what others hold. */
    @Test
    void aCloserThatHoldsNothingWaitsForOthers() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent others = f.start("other", () -> take(cq)).get();
        Task<?> closer =
                f.start(
                        "closer",
                        () -> {
                            for (int i = 0; i < 40; i++) {
                                raise(source, cq);
                                take(cq);
                                cq.ackEvents(1);
                            }
                            source.close();
                            cq.close();
                            return null;
                        });
        assertThat(closer.thread.join(Duration.ofMillis(2_500)))
                .as("ended before the other event was acknowledged: %s", closer.isDone())
                .isFalse();
        others.close();
        closer.get();
    }

    /** Two handlers that each hold an event and both close are both told, and both can go on. */
    @Test
    void twoHandlersCannotWaitForEachOther() throws Exception {
        CompletionQueue cq = f.on(f.channel());
        Source source = f.source(cq);
        CyclicBarrier sourcesClosed = new CyclicBarrier(3);
        List<Task<?>> handlers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            handlers.add(
                    f.start(
                            "handler-" + i,
                            () -> {
                                try (CqEvent event = take(cq)) {
                                    sourcesClosed.await();
                                    refused(cq::close, "EDEADLK", cq);
                                }
                                cq.close();
                                return null;
                            }));
        }
        raise(source, cq);
        Fixture.eventually("one holds its event", () -> cq.unackedEvents() == 1);
        source.close();
        Source second = f.source(cq);
        raise(second, cq);
        Fixture.eventually("both hold their event", () -> cq.unackedEvents() == 2);
        second.close();
        sourcesClosed.await();
        for (Task<?> handler : handlers) {
            handler.get();
        }
        assertThat(cq.unackedEvents()).isZero();
    }

    /** Of many closers at once one closes, and all return only when it is done. */
    @Test
    void manyClosersAllSeeItClosed() throws Exception {
        long start = System.nanoTime();
        for (int round = 0; round < 50; round++) {
            CompletionQueue cq = f.direct();
            Source source = f.source(cq);
            raise(source, cq);
            CqEvent held = take(cq);
            source.close();
            CyclicBarrier together = new CyclicBarrier(5);
            List<Task<?>> closers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                closers.add(
                        f.start(
                                i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform(),
                                "closer-" + i,
                                () -> {
                                    together.await();
                                    cq.close();
                                    assertThatThrownBy(() -> cq.reqNotify(false))
                                            .isInstanceOf(ClosedException.class);
                                    return null;
                                }));
            }
            together.await();
            held.close();
            for (Task<?> closer : closers) {
                closer.get();
            }
        }
        // Closers look again each second, so that many lost wake-ups would only be slow.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    }

    /**
     * Closers, handlers and events that race always come to an end, with nothing unacknowledged.
     */
    @Test
    @SuppressWarnings("ThreadPriorityCheck") // lets others go on where there is one carrier only
    void closersAndEventsRace() throws Exception {
        CompletionChannel channel = f.channel();
        for (int round = 0; round < 60; round++) {
            boolean direct = round % 2 == 0;
            CompletionQueue cq = direct ? f.direct() : f.on(channel);
            CompletionQueue sends = f.polled();
            Fixture.Pair pair = f.pair(sends, cq);
            CyclicBarrier together = new CyclicBarrier(4);
            AtomicInteger handled = new AtomicInteger();
            CountDownLatch closed = new CountDownLatch(2);
            List<Task<?>> all = new ArrayList<>();
            all.add(
                    f.start(
                            "handler",
                            () -> {
                                together.await();
                                while (closed.getCount() > 0) {
                                    Duration slice = Duration.ofMillis(1);
                                    try (CqEvent event =
                                            direct
                                                    ? cq.getCqEvent(slice)
                                                    : channel.getCqEvent(slice)) {
                                        if (event != null) {
                                            handled.incrementAndGet();
                                            event.cq().reqNotify(false);
                                        }
                                    } catch (ClosedException e) {
                                        break;
                                    }
                                }
                                return null;
                            }));
            for (int i = 0; i < 2; i++) {
                Duration timeout = Duration.ofNanos(i * 100_000L);
                all.add(
                        f.start(
                                "closer-" + i,
                                () -> {
                                    together.await();
                                    for (; ; ) {
                                        try {
                                            cq.close(timeout);
                                            closed.countDown();
                                            return null;
                                        } catch (VerbsException e) {
                                            assertThat(e.errnoName()).isIn("EBUSY", "ETIMEDOUT");
                                            Thread.yield();
                                        }
                                    }
                                }));
            }
            cq.reqNotify(false);
            together.await();
            for (int i = 0; i < 10; i++) {
                pair.message(i, 0);
            }
            pair.a.close();
            pair.b.close();
            for (Task<?> task : all) {
                task.get();
            }
            assertThat(cq.unackedEvents()).isZero();
            sends.close();
        }
        assertThat(channel.tryGetCqEvent()).isNull();
    }

    /** Contexts of one device are apart: closing one leaves the others as they are. */
    @Test
    void contextsAreApart() throws Exception {
        Context other = f.context.device().open();
        CompletionChannel channel = other.createCompChannel();
        channel.close();
        other.close();
        assertThatThrownBy(other::allocPd).isInstanceOf(ClosedException.class);
        f.pair(f.direct(), f.direct()).message(1, 4);
    }

    /** What cannot be created counts as a user of nothing. */
    @Test
    void aFailedCreationLeavesNoTrace() {
        CompletionChannel channel = f.channel();
        CompletionQueue closed = f.polled();
        closed.close();
        CompletionQueue open = f.polled();
        assertThatThrownBy(() -> f.pd.createQp(QpConfig.of(QpType.RC, open, closed)))
                .isInstanceOf(ClosedException.class)
                .hasMessageContaining(closed.toString());
        open.close();
        assertThatThrownBy(() -> f.context.createCq(0, null, channel, 0))
                .isInstanceOf(IllegalArgumentException.class);
        channel.close();
        assertThatThrownBy(() -> f.context.createCq(1, null, channel, 0))
                .isInstanceOf(ClosedException.class)
                .hasMessageContaining(channel.toString());
    }

    /** A device that is out of something says ENOMEM, and has it again when one is closed. */
    @Test
    @Timeout(300) // a real device grants tens of thousands, with a system call each
    void anExhaustedDeviceRecovers() {
        int max = f.context.attributes().maxPd();
        List<ProtectionDomain> pds = new ArrayList<>();
        try {
            refused(
                    () -> {
                        for (int i = 0; i <= max; i++) {
                            pds.add(f.context.allocPd());
                        }
                    },
                    Differences.exhausted(),
                    "ibv_alloc_pd");
            pds.removeLast().close();
            pds.add(f.context.allocPd());
        } finally {
            pds.forEach(ProtectionDomain::close);
        }
    }

    /** An asynchronous event that nobody has received goes with its CQ. */
    @Test
    void aDestroyedCqIsForgottenWithItsAsynchronousEvents() throws Exception {
        assertCollected(closedWithAnAsyncEvent());
        assertThat(f.context.getAsyncEvent(Duration.ZERO)).isNull();
    }

    private WeakReference<CompletionQueue> closedWithAnAsyncEvent() {
        CompletionQueue cq = f.context.createDirectCq(1);
        cq.listener().asyncEvent(Ibv.EVENT_CQ_ERR);
        cq.close();
        return new WeakReference<>(cq);
    }

    /** Completions that have arrived stay in the CQ when the queue pair is destroyed. */
    @Test
    void completionsOutliveTheQueuePair() {
        CompletionQueue sends = f.polled();
        CompletionQueue receives = f.polled();
        Fixture.Pair pair = f.pair(sends, receives);
        pair.message(9, 8);
        Fixture.pollOne(sends);
        pair.a.close();
        pair.b.close();
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(9);
    }

    /** Closing a region ends its keys, and the memory of a freed arena only fails the request. */
    @Test
    void memoryThatIsGoneFailsTheRequest() {
        CompletionQueue sends = f.polled();
        Fixture.Pair pair = f.pair(sends, f.polled());
        MemoryRegion gone = f.mr(64);
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(3).send().sge(gone).signaled();
        gone.close();
        pair.recv(1);
        pair.a.postSend(wr);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(Differences.unknownLocalKey());
    }
}
