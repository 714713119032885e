package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
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
import java.util.concurrent.CyclicBarrier;

/** What a close of a CQ waits for, and what becomes of events that were not received. */
class CloseAndEventsTest extends Closings {
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

    /**
     * close(Duration) gives up with ETIMEDOUT, names the events that are held and their threads,
     * and leaves the CQ.
     */
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
        assertThat(System.nanoTime() - start).isBetween(30_000_000L, 20_000_000_000L);

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
                .as("an event that was not received")
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

    /** Events that were not received go with their CQ; those of others stay on the channel. */
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
}
