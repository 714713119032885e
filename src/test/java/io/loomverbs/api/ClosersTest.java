package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A CQ is closed by its handlers, which cannot wait for themselves, and by many threads at once.
 */
class ClosersTest extends Closings {
    /** The serve handler may close the CQ that it serves. */
    @Test
    void aServeHandlerClosesItsOwnCq() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch sent = new CountDownLatch(1);
        Serving server =
                cq.serve(
                        batch -> {
                            try {
                                // A close may drop the completion of the send.
                                assertThat(sent.await(20, TimeUnit.SECONDS)).isTrue();
                                source.close();
                                cq.close();
                            } catch (Throwable e) {
                                failure.set(e);
                            }
                        });
        source.complete(1);
        sent.countDown();
        assertThat(server.join(Fixture.PATIENCE)).isTrue();
        assertThat(failure).hasNullValue();
        assertThatThrownBy(() -> cq.reqNotify(false)).isInstanceOf(ClosedException.class);
    }

    /** A thread that closes the CQ of an event it holds soon gets EDEADLK, and can go on. */
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
                .isBetween(Duration.ofMillis(500), Duration.ofSeconds(20));
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

    /** A thread that acknowledged all its events by count waits for events that others hold. */
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

    /** A thread whose event may be the one that another has acknowledged by count just waits. */
    @Test
    void nobodyIsFailedForAnEventThatAnotherMayHold() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        CqEvent others = f.start("other", () -> take(cq)).get();
        CountDownLatch received = new CountDownLatch(1);
        CountDownLatch acknowledged = new CountDownLatch(1);
        Task<?> closer =
                f.start(
                        "closer",
                        () -> {
                            raise(source, cq);
                            take(cq);
                            received.countDown();
                            acknowledged.await();
                            cq.close();
                            return null;
                        });
        received.await();
        cq.ackEvents(1);
        source.close();
        assertThatThrownBy(() -> cq.close(Duration.ofMillis(10)))
                .hasMessageContaining("1 unacknowledged event")
                .hasMessageNotContainingAny("taken by", "closer", "other");
        acknowledged.countDown();
        assertThat(closer.thread.join(Duration.ofMillis(2_500)))
                .as("ended before the other event was acknowledged: %s", closer.isDone())
                .isFalse();
        others.close();
        closer.get();
    }

    /** Once nothing else is outstanding there is no doubt any more. */
    @Test
    void whoHoldsTheOnlyEventIsToldWhateverWasAcknowledgedBefore() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        raise(source, cq);
        f.start("other", () -> take(cq)).get();
        raise(source, cq);
        take(cq);
        cq.ackEvents(1);
        cq.ackEvents(1);
        raise(source, cq);
        CqEvent held = take(cq);
        source.close();
        refused(cq::close, "EDEADLK", cq, "1 unacknowledged", Thread.currentThread().getName());
        held.close();
        cq.close();
    }

    /** Two handlers that each hold an event and both close are both told, and both can go on. */
    @Test
    @SuppressWarnings("try") // the event is only held
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
}
