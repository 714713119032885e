package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqStats;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/** However a thread waits for completions, the same things end the wait. */
@Tag("device")
@Timeout(60)
class WaitStrategyTest {
    private static final Duration SHORT = Duration.ofMillis(20);

    private final Fixture f = new Fixture();

    @AfterEach
    void close() throws Exception {
        f.close();
    }

    private CompletionQueue cq(WaitStrategy strategy) {
        return f.own(f.context.createDirectCq(64, strategy));
    }

    private <T> Task<T> start(boolean virtual, Callable<T> body) {
        return f.start(virtual ? Thread.ofVirtual() : Thread.ofPlatform(), "waits", body);
    }

    @Test
    void aCqWaitsAdaptivelyUnlessToldOtherwise() {
        CompletionQueue usual = f.own(f.context.createDirectCq(1));
        CompletionQueue polling = cq(WaitStrategy.POLLING);

        assertThat(usual.waitStrategy()).isEqualTo(WaitStrategy.ADAPTIVE);
        assertThat(polling.waitStrategy()).isEqualTo(WaitStrategy.POLLING);
    }

    /** Soon after one another, and after pauses, so that adaptive waits poll and park. */
    @ParameterizedTest
    @CsvSource({
        "EVENTS, true",
        "EVENTS, false",
        "POLLING, true",
        "POLLING, false",
        "ADAPTIVE, true",
        "ADAPTIVE, false"
    })
    void completionsEndAWait(WaitStrategy strategy, boolean virtual) throws Exception {
        int messages = 2_000;
        CompletionQueue cq = cq(strategy);
        Source source = f.source(cq);
        AtomicInteger taken = new AtomicInteger();
        Task<Void> waiter =
                start(
                        virtual,
                        () -> {
                            WorkCompletions batch = WorkCompletions.allocate(4);
                            while (taken.get() < messages) {
                                int n = cq.await(batch);
                                assertThat(n).isPositive();
                                assertThat(batch.wrId(0)).isEqualTo(taken.get());
                                taken.addAndGet(n);
                            }
                            return null;
                        });
        for (int i = 0; i < messages; i++) {
            int sent = i;
            Fixture.eventually("it keeps up", () -> taken.get() > sent - 8);
            if (i % 100 == 0) {
                Thread.sleep(1);
            }
            source.complete(i);
        }
        waiter.get();
        assertThat(taken).hasValue(messages);
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void aWaitForSeveralReturnsWhatItHasAtTheDeadline(WaitStrategy strategy) throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(64));
        f.source(cq).complete(7);
        WorkCompletions batch = WorkCompletions.allocate(4);
        long start = System.nanoTime();

        assertThat(cq.await(batch, 3, SHORT, strategy)).isEqualTo(1);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(SHORT.toNanos());
        assertThat(batch.wrId(0)).isEqualTo(7);
        assertThat(cq.await(batch, 1, Duration.ZERO, strategy)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "EVENTS, true",
        "EVENTS, false",
        "POLLING, true",
        "POLLING, false",
        "ADAPTIVE, true",
        "ADAPTIVE, false"
    })
    void anInterruptEndsAWait(WaitStrategy strategy, boolean virtual) throws Exception {
        CompletionQueue cq = cq(strategy);
        AtomicInteger begun = new AtomicInteger();
        Task<Integer> waiter =
                start(
                        virtual,
                        () -> {
                            begun.set(1);
                            return cq.await(WorkCompletions.allocate(1));
                        });
        Fixture.eventually("it runs", () -> begun.get() == 1);

        waiter.thread.interrupt();

        assertThat(waiter.failure()).isInstanceOf(InterruptedException.class);
    }

    private long polled(CompletionQueue cq) {
        return f.context.stats().cqs().stream()
                .filter(stats -> stats.cq().equals(cq.toString()))
                .mapToLong(CqStats::completions)
                .sum();
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void anInterruptedWaitReturnsWhatItHas(WaitStrategy strategy) throws Exception {
        CompletionQueue cq = cq(strategy);
        f.source(cq).complete(1);
        Task<Boolean> waiter =
                start(
                        true,
                        () -> {
                            WorkCompletions batch = WorkCompletions.allocate(2);
                            int n = cq.await(batch, 2, Duration.ofMinutes(1), strategy);
                            return n == 1 && Thread.interrupted();
                        });
        // An interrupt before the first poll would find nothing.
        Fixture.eventually("it polls", () -> polled(cq) == 1);

        waiter.thread.interrupt();

        assertThat(waiter.get()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void aCloseEndsAWait(WaitStrategy strategy) throws Exception {
        CompletionQueue cq = cq(strategy);
        AtomicInteger begun = new AtomicInteger();
        Task<Integer> waiter =
                start(
                        true,
                        () -> {
                            begun.set(1);
                            return cq.await(WorkCompletions.allocate(1));
                        });
        Fixture.eventually("it runs", () -> begun.get() == 1);

        cq.close();

        assertThat(waiter.failure()).isInstanceOf(ClosedException.class);
    }

    /** Nobody else asks the device for its asynchronous events. */
    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void anOverrunEndsAWait(WaitStrategy strategy) throws Exception {
        CompletionQueue small = f.own(f.context.createDirectCq(1, strategy));
        Source source = f.source(small);
        source.overrun();
        Task<Integer> waiter =
                start(
                        true,
                        () -> {
                            WorkCompletions batch = WorkCompletions.allocate(4);
                            int all = 0;
                            for (; ; ) {
                                all += small.await(batch);
                                assertThat(all).isLessThanOrEqualTo(small.cqe());
                            }
                        });

        assertThat(waiter.failure()).isInstanceOf(VerbsException.class).hasMessageContaining("EIO");
        try (AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
        }
        source.close();
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void aHandlerIsServed(WaitStrategy strategy) throws Exception {
        CompletionQueue cq = cq(strategy);
        Source source = f.source(cq);
        AtomicInteger taken = new AtomicInteger();
        Serving server = cq.serve(batch -> taken.addAndGet(batch.size()));

        for (int i = 0; i < 100; i++) {
            int sent = i;
            source.complete(i);
            Fixture.eventually("it is handled", () -> taken.get() > sent);
        }
        source.close();
        cq.close();

        assertThat(server.join(Fixture.PATIENCE)).isTrue();
    }
}
