package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Waiting for events and completions: what ends a wait, and with what. */
@Tag("device")
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class WaitingTest {
    private final Fixture f = new Fixture();

    /** Where a thread waits; all of them keep the same promises. */
    enum Wait {
        CHANNEL,
        DIRECT,
        AWAIT;

        boolean isChannel() {
            return this == CHANNEL;
        }
    }

    /** What kind of thread waits. */
    enum Kind {
        VIRTUAL,
        PLATFORM;

        Thread.Builder builder() {
            return this == VIRTUAL ? Thread.ofVirtual() : Thread.ofPlatform().daemon();
        }
    }

    private final CompletionChannel channel = f.channel();
    private CompletionQueue cq;
    private Source source;

    private void use(Wait wait) {
        cq = wait.isChannel() ? f.on(channel) : f.direct();
        source = f.source(cq);
        cq.reqNotify(false);
    }

    /** Waits once: true if an event or a completion came, false if none came in time. */
    private boolean waitOnce(Wait wait, Duration timeout) throws InterruptedException {
        switch (wait) {
            case CHANNEL -> {
                try (CqEvent event =
                        timeout == null ? channel.getCqEvent() : channel.getCqEvent(timeout)) {
                    return event != null;
                }
            }
            case DIRECT -> {
                try (CqEvent event = timeout == null ? cq.getCqEvent() : cq.getCqEvent(timeout)) {
                    return event != null;
                }
            }
            case AWAIT -> {
                WorkCompletions batch = WorkCompletions.allocate(1);
                return 1 == (timeout == null ? cq.await(batch) : cq.await(batch, 1, timeout));
            }
        }
        throw new AssertionError(wait);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(Thread.interrupted()).isFalse();
        f.close();
    }

    /** A wait without limit ends with the event, on either kind of thread. */
    @ParameterizedTest
    @EnumSource
    void anEventEndsTheWait(Wait wait) throws Exception {
        use(wait);
        for (Kind kind : Kind.values()) {
            Task<Boolean> waiter =
                    f.start(kind.builder(), kind.name(), () -> waitOnce(wait, null)).parked();
            cq.reqNotify(false);

            source.complete(1);

            assertThat(waiter.get()).isTrue();
            cq.poll(WorkCompletions.allocate(8));
        }
    }

    /** A timeout of zero does not wait, but takes what is there. */
    @ParameterizedTest
    @EnumSource
    void zeroDoesNotWait(Wait wait) throws Exception {
        use(wait);
        assertThat(waitOnce(wait, Duration.ZERO)).isFalse();

        source.complete(1);

        Fixture.eventually("what came is taken", () -> once(() -> waitOnce(wait, Duration.ZERO)));
        assertThat(waitOnce(wait, Duration.ZERO)).isFalse();
    }

    private static boolean once(Callable<Boolean> body) {
        try {
            return body.call();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** A short timeout ends the wait without an event, no earlier than it should. */
    @ParameterizedTest
    @EnumSource
    void aTimeoutEndsTheWait(Wait wait) throws Exception {
        use(wait);
        for (Kind kind : Kind.values()) {
            long start = System.nanoTime();
            Task<Boolean> waiter =
                    f.start(
                            kind.builder(),
                            kind.name(),
                            () -> waitOnce(wait, Duration.ofMillis(30)));

            assertThat(waiter.get()).isFalse();
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
        }
        assertThat(waitOnce(wait, Duration.ofNanos(1))).isFalse();
    }

    /**
     * A timeout longer than a long can count in nanoseconds means no timeout, and does not
     * overflow.
     */
    @ParameterizedTest
    @EnumSource
    void aHugeTimeoutIsForEver(Wait wait) throws Exception {
        use(wait);
        List<Duration> huge =
                List.of(
                        Duration.ofSeconds(Long.MAX_VALUE),
                        Duration.ofNanos(Long.MAX_VALUE),
                        Duration.ofNanos(Long.MAX_VALUE - 1),
                        Duration.ofDays(365_000));
        for (Duration timeout : huge) {
            for (Kind kind : Kind.values()) {
                Task<Boolean> waiter =
                        f.start(kind.builder(), kind.name(), () -> waitOnce(wait, timeout))
                                .parked();
                cq.reqNotify(false);

                source.complete(1);

                assertThat(waiter.get()).as("%s", timeout).isTrue();
                cq.poll(WorkCompletions.allocate(8));
            }
        }
    }

    /** An interrupt during the wait ends it with an InterruptedException, and clears the status. */
    @ParameterizedTest
    @EnumSource
    void anInterruptEndsTheWait(Wait wait) throws Exception {
        use(wait);
        for (Kind kind : Kind.values()) {
            for (Duration timeout : new Duration[] {null, Duration.ofMinutes(5)}) {
                AtomicReference<Boolean> status = new AtomicReference<>();
                Task<Boolean> waiter =
                        f.start(
                                        kind.builder(),
                                        kind.name(),
                                        () -> {
                                            try {
                                                return waitOnce(wait, timeout);
                                            } finally {
                                                status.set(Thread.currentThread().isInterrupted());
                                            }
                                        })
                                .parked();

                waiter.thread.interrupt();

                assertThat(waiter.failure()).isInstanceOf(InterruptedException.class);
                assertThat(status).hasValue(false);
            }
        }
        // No thread is left in the queue to take the next event away.
        cq.reqNotify(false);
        source.complete(1);
        assertThat(waitOnce(wait, Fixture.PATIENCE)).isTrue();
    }

    /** A thread that is interrupted already does not begin to wait, and takes no event. */
    @ParameterizedTest
    @EnumSource
    void anInterruptBeforeTheWaitEndsIt(Wait wait) throws Exception {
        use(wait);
        source.complete(1);
        for (Duration timeout : new Duration[] {null, Duration.ZERO, Duration.ofMinutes(5)}) {
            Thread.currentThread().interrupt();

            assertThatThrownBy(() -> waitOnce(wait, timeout))
                    .isInstanceOf(InterruptedException.class);

            assertThat(Thread.interrupted()).isFalse();
            assertThat(cq.unackedEvents()).isZero();
        }
        assertThat(waitOnce(wait, Fixture.PATIENCE)).isTrue();
    }

    /** tryGetCqEvent gives an interrupted thread its event and leaves the status alone. */
    @Test
    void tryIgnoresInterrupts() {
        CompletionQueue direct = f.direct();
        CompletionQueue shared = f.on(channel);
        for (CompletionQueue each : List.of(direct, shared)) {
            Source s = f.source(each);
            each.reqNotify(false);
            s.complete(1);
            Thread.currentThread().interrupt();
            Fixture.eventually(
                    "the event",
                    () -> {
                        CqEvent event =
                                each.isDirect() ? each.tryGetCqEvent() : channel.tryGetCqEvent();
                        if (event != null) {
                            event.close();
                        }
                        return event != null;
                    });
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    /** An event is never lost to an interrupt or a timeout that comes at the same moment. */
    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "DIRECT"})
    void anEventIsNotLostToAnInterruptAtTheSameTime(Wait wait) throws Exception {
        use(wait);
        int kept = 0;
        int interrupted = 0;
        for (int i = 0; i < 300; i++) {
            CountDownLatch go = new CountDownLatch(1);
            AtomicReference<Boolean> status = new AtomicReference<>();
            Kind kind = i % 2 == 0 ? Kind.VIRTUAL : Kind.PLATFORM;
            Task<Boolean> waiter =
                    f.start(
                                    kind.builder(),
                                    "waiter",
                                    () -> {
                                        try {
                                            return waitOnce(wait, Duration.ofMinutes(5));
                                        } catch (InterruptedException e) {
                                            return false;
                                        } finally {
                                            status.set(Thread.currentThread().isInterrupted());
                                        }
                                    })
                            .parked();
            Task<Void> interrupter =
                    f.start(
                            Thread.ofPlatform(),
                            "interrupter",
                            () -> {
                                go.await();
                                waiter.thread.interrupt();
                                return null;
                            });
            cq.reqNotify(false);
            go.countDown();
            source.complete(i);
            interrupter.get();

            if (waiter.get()) {
                kept++;
                // The interrupt may also have come after the wait had ended.
            } else {
                interrupted++;
                assertThat(status).hasValue(false);
                assertThat(waitOnce(wait, Fixture.PATIENCE)).as("event %d", i).isTrue();
            }
            assertThat(cq.unackedEvents()).isZero();
            assertThat(cq.poll(WorkCompletions.allocate(8))).isEqualTo(1);
        }
        assertThat(kept + interrupted).isEqualTo(300);
    }

    /** Waiters of a channel are served in the order in which they came. */
    @Test
    void theLongestWaiterIsServedFirst() throws Exception {
        use(Wait.CHANNEL);
        List<Task<Boolean>> waiters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            waiters.add(f.start("waiter-" + i, () -> waitOnce(Wait.CHANNEL, null)).parked());
        }
        for (int i = 0; i < 5; i++) {
            cq.reqNotify(false);
            source.complete(i);
            assertThat(waiters.get(i).get()).isTrue();
            for (int j = i + 1; j < 5; j++) {
                assertThat(waiters.get(j).isDone()).isFalse();
            }
        }
    }

    /** A closed channel tells all its waiters, now and later, and the message names it. */
    @Test
    void aClosedChannelEndsAllWaits() throws Exception {
        CompletionChannel other = f.channel();
        List<Task<CqEvent>> waiters = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            waiters.add(f.start(kind.builder(), kind.name(), other::getCqEvent).parked());
            waiters.add(
                    f.start(
                                    kind.builder(),
                                    kind.name(),
                                    () -> other.getCqEvent(Duration.ofMinutes(5)))
                            .parked());
        }
        other.close();

        for (Task<CqEvent> waiter : waiters) {
            assertThat(waiter.failure())
                    .isInstanceOf(ClosedException.class)
                    .hasMessage(other + " is closed");
        }
        assertThatThrownBy(other::getCqEvent).isInstanceOf(ClosedException.class);
        assertThatThrownBy(other::tryGetCqEvent).isInstanceOf(ClosedException.class);
    }

    /** A close of a CQ ends all waits for it, of every kind. */
    @Test
    void aClosedCqEndsAllWaits() throws Exception {
        use(Wait.DIRECT);
        List<Task<?>> waiters = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (Wait wait : List.of(Wait.DIRECT, Wait.AWAIT)) {
                for (Duration timeout : new Duration[] {null, Duration.ofMinutes(5)}) {
                    waiters.add(
                            f.start(
                                            kind.builder(),
                                            wait + " " + kind,
                                            () -> waitOnce(wait, timeout))
                                    .parked());
                }
            }
        }
        Serving server = cq.serve(batch -> {});
        source.close();

        cq.close();

        for (Task<?> waiter : waiters) {
            assertThat(waiter.failure())
                    .isInstanceOf(ClosedException.class)
                    .hasMessage(cq + " is closed");
        }
        assertThat(server.join(Fixture.PATIENCE)).isTrue();
    }

    /** A CQ that has overrun and was closed says that it is closed, not that it has failed. */
    @Test
    void aClosedCqIsClosedEvenIfItHadFailed() throws Exception {
        CompletionQueue small = f.own(f.context.createDirectCq(1));
        overrun(small);
        assertThatThrownBy(small::getCqEvent).isInstanceOf(VerbsException.class);

        small.close();

        assertThatThrownBy(small::getCqEvent).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> small.getCqEvent(Duration.ZERO))
                .isInstanceOf(ClosedException.class);
        assertThatThrownBy(small::tryGetCqEvent).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> small.await(WorkCompletions.allocate(1)))
                .isInstanceOf(ClosedException.class);
    }

    /** Gives a CQ more than it can hold; nothing uses it afterwards. */
    private void overrun(CompletionQueue victim) throws InterruptedException {
        Fixture.Source overrunning = f.source(victim);
        overrunning.overrun();
        AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        event.close();
        overrunning.close();
        try (AsyncEvent other = f.context.getAsyncEvent(Fixture.QUIET)) {
            // A queue pair may have had one as well; it went with the queue pair.
            assertThat(other).isNull();
        }
    }

    /** await returns what it has at the deadline, which may be less than asked for. */
    @Test
    void awaitReturnsLessAtTheDeadline() throws Exception {
        use(Wait.AWAIT);
        source.complete(11);
        source.complete(12);
        WorkCompletions batch = WorkCompletions.allocate(8);

        long start = System.nanoTime();
        assertThat(cq.await(batch, 3, Duration.ofMillis(30))).isEqualTo(2);

        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
        assertThat(batch.size()).isEqualTo(2);
        assertThat(batch.wrId(0)).isEqualTo(11);
        assertThat(batch.wrId(1)).isEqualTo(12);
        assertThat(cq.await(batch, 8, Duration.ZERO)).isZero();
        assertThat(batch.isEmpty()).isTrue();
        assertThat(cq.unackedEvents()).isZero();
    }

    /** await with a minimum of the whole capacity returns when the batch is full, no earlier. */
    @Test
    void awaitFillsTheBatch() throws Exception {
        use(Wait.AWAIT);
        WorkCompletions batch = WorkCompletions.allocate(4);
        Task<Integer> waiter = f.start("await", () -> cq.await(batch, 4)).parked();
        for (int i = 0; i < 3; i++) {
            source.complete(i);
            waiter.parked();
        }
        assertThat(waiter.isDone()).isFalse();

        source.complete(3);

        assertThat(waiter.get()).isEqualTo(4);
        for (int i = 0; i < 4; i++) {
            assertThat(batch.wrId(i)).isEqualTo(i);
        }
    }

    /** await gives out no more than fits; the rest comes with the next call. */
    @Test
    void awaitLeavesWhatDoesNotFit() throws Exception {
        use(Wait.AWAIT);
        for (int i = 0; i < 5; i++) {
            source.complete(i);
        }
        WorkCompletions batch = WorkCompletions.allocate(2);
        List<Long> seen = new ArrayList<>();
        while (seen.size() < 5) {
            int n = cq.await(batch);
            for (int i = 0; i < n; i++) {
                seen.add(batch.wrId(i));
            }
        }
        assertThat(seen).containsExactly(0L, 1L, 2L, 3L, 4L);
    }

    /** An interrupt of an await that has something returns that, and stays pending. */
    @Test
    void anInterruptedAwaitReturnsWhatItHas() throws Exception {
        use(Wait.AWAIT);
        WorkCompletions batch = WorkCompletions.allocate(4);
        AtomicReference<Boolean> status = new AtomicReference<>();
        Task<Integer> waiter =
                f.start(
                        "await",
                        () -> {
                            int n = cq.await(batch, 2);
                            status.set(Thread.interrupted());
                            return n;
                        });
        source.complete(77);
        Fixture.eventually("the completion is in the batch", () -> batch.size() == 1);
        waiter.parked();

        waiter.thread.interrupt();

        assertThat(waiter.get()).isEqualTo(1);
        assertThat(batch.wrId(0)).isEqualTo(77);
        assertThat(status).hasValue(true);
    }

    /** The close of the CQ ends an await that has something with that. */
    @Test
    void anAwaitReturnsWhatItHasWhenTheCqIsClosed() throws Exception {
        use(Wait.AWAIT);
        WorkCompletions batch = WorkCompletions.allocate(4);
        Task<Integer> waiter = f.start("await", () -> cq.await(batch, 2));
        source.complete(77);
        Fixture.eventually("the completion is in the batch", () -> batch.size() == 1);
        waiter.parked();
        source.close();

        cq.close();

        assertThat(waiter.get()).isEqualTo(1);
        assertThat(batch.wrId(0)).isEqualTo(77);
        assertThatThrownBy(() -> cq.await(batch, 2)).isInstanceOf(ClosedException.class);
    }

    /**
     * Of several threads that await one CQ each gets its completion, though one event wakes only
     * one of them and leaves the CQ unarmed.
     */
    @ParameterizedTest
    @EnumSource
    void everyAwaitingThreadGetsItsCompletion(Kind kind) throws Exception {
        use(Wait.AWAIT);
        for (int round = 0; round < 50; round++) {
            List<Task<Integer>> waiters = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                waiters.add(
                        f.start(
                                        kind.builder(),
                                        "await-" + i,
                                        () -> cq.await(WorkCompletions.allocate(1)))
                                .parked());
            }
            for (int i = 0; i < 3; i++) {
                source.complete(i);
                int done = i + 1;
                Fixture.eventually(
                        done + " of the waiters have theirs",
                        () -> waiters.stream().filter(Task::isDone).count() >= done);
            }
            for (Task<Integer> waiter : waiters) {
                assertThat(waiter.get()).isEqualTo(1);
            }
        }
    }

    /** The same when completions come while threads arrive and leave. */
    @Test
    void awaitingThreadsThatComeAndGoLoseNothing() throws Exception {
        use(Wait.AWAIT);
        int n = 2_000;
        ConcurrentLinkedQueue<Long> seen = new ConcurrentLinkedQueue<>();
        AtomicInteger tickets = new AtomicInteger();
        for (int i = 0; i < 4; i++) {
            f.start(
                    "await-" + i,
                    () -> {
                        WorkCompletions one = WorkCompletions.allocate(1);
                        // Each ticket is good for one completion; no other thread takes it.
                        while (tickets.getAndIncrement() < n) {
                            assertThat(cq.await(one)).isEqualTo(1);
                            seen.add(one.wrId(0));
                        }
                        return null;
                    });
        }
        for (int i = 0; i < n; i++) {
            int sent = i;
            Fixture.eventually("completions are consumed", () -> sent - seen.size() < 32);
            source.complete(i);
        }
        Fixture.eventually("every completion was awaited", () -> seen.size() == n);
        assertThat(seen).doesNotHaveDuplicates();
    }

    /** serve runs the handler for all completions, in order, on a virtual thread of that name. */
    @Test
    void serveHandlesEverything() throws Exception {
        use(Wait.AWAIT);
        ConcurrentLinkedQueue<Long> seen = new ConcurrentLinkedQueue<>();
        Serving server =
                cq.serve(
                        batch -> {
                            assertThat(batch.isEmpty()).isFalse();
                            for (int i = 0; i < batch.size(); i++) {
                                seen.add(batch.wrId(i));
                            }
                        });
        Thread thread = server.threads().getFirst();
        assertThat(thread.isVirtual()).isTrue();
        assertThat(thread.getName()).isEqualTo(cq.toString());
        for (int i = 0; i < 200; i++) {
            int sent = i;
            Fixture.eventually("the handler keeps up", () -> sent - seen.size() < 32);
            source.complete(i);
        }
        Fixture.eventually("all are handled", () -> seen.size() == 200);
        long expected = 0;
        for (long id : seen) {
            assertThat(id).isEqualTo(expected++);
        }
        assertThatThrownBy(() -> cq.serve(batch -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(cq.toString())
                .hasMessageContaining("being served");

        thread.interrupt();
        assertThat(server.join(Fixture.PATIENCE)).isTrue();

        // The place is free again.
        Serving next = cq.serve(batch -> seen.add(batch.wrId(0)));
        source.complete(1000);
        Fixture.eventually("the next handler works", () -> seen.size() == 201);
        source.close();
        cq.close();
        assertThat(next.join(Fixture.PATIENCE)).isTrue();
    }

    /** Only the handler of a served CQ may take its completions; other threads are refused. */
    @Test
    void aServedCqGivesNothingToOthers() throws Exception {
        use(Wait.AWAIT);
        ConcurrentLinkedQueue<Long> seen = new ConcurrentLinkedQueue<>();
        Serving server =
                cq.serve(
                        batch -> {
                            seen.add(batch.wrId(0));
                            WorkCompletions more = WorkCompletions.allocate(1);
                            if (seen.size() == 1 && cq.await(more, 1, Fixture.PATIENCE) == 1) {
                                seen.add(more.wrId(0));
                            }
                        });
        WorkCompletions batch = WorkCompletions.allocate(1);
        assertThatThrownBy(() -> cq.await(batch))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(cq.toString(), "by thread \"" + cq + "\"");
        source.complete(1);
        Fixture.eventually("the handler waits for more", () -> seen.size() == 1);
        source.complete(2);
        Fixture.eventually("the handler gets all", () -> seen.size() == 2);
        assertThat(cq.poll(batch)).isZero();
        assertThat(server.stop(Fixture.PATIENCE)).isTrue();
        source.complete(3);
        assertThat(cq.await(batch)).isOne();
    }

    /** What a handler throws ends its thread with that exception, and leaves the CQ usable. */
    @Test
    void aHandlerThatThrowsEndsItsThread() throws Exception {
        use(Wait.AWAIT);
        List<Exception> thrown =
                List.of(
                        new IllegalArgumentException("on purpose"),
                        new java.io.IOException("checked, on purpose"),
                        ofAnotherCq());
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        try {
            for (Exception exception : thrown) {
                AtomicReference<Throwable> seen = new AtomicReference<>();
                CountDownLatch told = new CountDownLatch(1);
                Thread.setDefaultUncaughtExceptionHandler(
                        (t, e) -> {
                            seen.set(e);
                            told.countDown();
                        });
                Serving server =
                        Serving.of(
                                        cq,
                                        batch -> {
                                            throw exception;
                                        },
                                        FailurePolicy.STOP)
                                .start(Thread.ofVirtual().factory());
                source.complete(1);
                assertThat(server.join(Fixture.PATIENCE)).isTrue();
                told.await();
                if (exception instanceof RuntimeException) {
                    assertThat(seen).hasValue(exception);
                } else {
                    assertThat(seen.get()).hasCause(exception).hasMessageContaining(cq.toString());
                }
                assertThat(cq.unackedEvents()).isZero();
            }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        cq.reqNotify(false);
        source.complete(2);
        assertThat(waitOnce(Wait.AWAIT, Fixture.PATIENCE)).isTrue();
    }

    private ClosedException ofAnotherCq() {
        CompletionQueue other = f.polled();
        other.close();
        return catchThrowableOfType(
                ClosedException.class, () -> other.poll(WorkCompletions.allocate(1)));
    }
}
