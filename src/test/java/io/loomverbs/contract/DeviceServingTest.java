package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionHandler;
import io.loomverbs.CompletionQueue;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;

/** Handlers of one CQ: threads, names, failures, the end, and what is there afterwards. */
@SuppressWarnings("try") // joins threads, which may be interrupted
class DeviceServingTest extends DeviceContract {
    private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();

    private final CompletionQueue cq = f.direct();
    private final Source source = f.source(cq);
    private final ConcurrentLinkedQueue<Long> handled = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> uncaught = new ConcurrentLinkedQueue<>();
    private final CountDownLatch mayGoOn = new CountDownLatch(1);
    private final CountDownLatch isInHandler = new CountDownLatch(1);

    private void record(WorkCompletions batch) {
        for (int i = 0; i < batch.size(); i++) {
            handled.add(batch.wrId(i));
        }
    }

    /** Records, and waits in the first call until it may go on. */
    private void recordSlowly(WorkCompletions batch) throws InterruptedException {
        record(batch);
        isInHandler.countDown();
        mayGoOn.await();
    }

    private Serving slow(FailurePolicy policy) throws InterruptedException {
        Serving serving = Serving.of(cq, this::recordSlowly, policy).start(VIRTUAL);
        source.complete(0);
        isInHandler.await();
        return serving;
    }

    private ThreadFactory catching() {
        return Thread.ofVirtual()
                .name("catching")
                .uncaughtExceptionHandler((thread, e) -> uncaught.add(e))
                .factory();
    }

    private void awaitHandled(int n) {
        Fixture.eventually(n + " completions are handled", () -> handled.size() == n);
    }

    private void assertHandled(int n) {
        assertThat(handled).containsExactlyElementsOf(LongStream.range(0, n).boxed().toList());
    }

    /** The CQ can be awaited, and served, by others. */
    private void assertFree() throws InterruptedException {
        int before = handled.size();
        source.complete(before);
        assertThat(cq.await(batch, 1, Fixture.PATIENCE)).isPositive();
        record(batch);
        try (Serving next = cq.serve(this::record)) {
            source.complete(before + 1);
            awaitHandled(before + 2);
        }
        assertHandled(before + 2);
        assertThat(cq.unackedEvents()).isZero();
    }

    /** A thread of the program's factory may end before it has served. */
    @Test
    void aThreadThatNeverServesDoesNotKeepTheCq() throws Exception {
        ThreadFactory failing =
                _ ->
                        Thread.ofVirtual()
                                .uncaughtExceptionHandler((_, e) -> uncaught.add(e))
                                .unstarted(
                                        () -> {
                                            throw new IllegalStateException("planted");
                                        });
        Serving serving = Serving.of(cq, this::record, FailurePolicy.STOP).start(failing);
        Fixture.eventually("it has ended", () -> uncaught.size() == 1);
        assertThat(serving.stop(Fixture.PATIENCE)).as("nothing was handled").isFalse();
        assertThat(serving.threads()).isEmpty();
        serving.close();
        Serving closed = Serving.of(cq, this::record, FailurePolicy.STOP).start(failing);
        closed.close();
        assertThat(closed.join(Duration.ZERO)).isTrue();
        assertFree();
    }

    /** A name of one's own is that of the thread, for dumps and for messages. */
    @Test
    void theThreadBearsTheName() throws Exception {
        Serving serving = cq.serve("orders", this::record);
        Thread thread = serving.threads().getFirst();
        assertThat(serving.threads()).hasSize(1);
        assertThat(thread.getName()).isEqualTo("orders");
        assertThat(thread.isVirtual()).isTrue();
        assertThat(serving.status()).isEqualTo("run by \"orders\"");
        assertThatThrownBy(() -> cq.await(batch))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("\"orders\"");
        assertThat(serving.join(Duration.ZERO)).isFalse();
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(serving.join(Duration.ZERO)).isTrue();
        assertThat(serving.threads()).isEmpty();
        assertThat(serving.status()).isEqualTo("no thread runs it, stopped");
        assertThat(serving).hasToString("serving of " + cq);
        assertFree();
    }

    /** Whatever waits, and however: a stop ends the wait. */
    @ParameterizedTest
    @EnumSource
    void aStopEndsTheWait(WaitStrategy strategy) throws Exception {
        for (Thread.Builder builder : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
            CompletionQueue own = f.own(f.context.createDirectCq(16, strategy));
            Source of = f.source(own);
            Serving serving =
                    Serving.of(own, this::record, FailurePolicy.REPORT).start(builder.factory());
            int before = handled.size();
            of.complete(before);
            awaitHandled(before + 1);
            assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
            of.close();
            own.close();
        }
    }

    /** What had arrived when the stop began is handled, in any number of batches. */
    @Test
    void aStopDrains() throws Exception {
        Serving serving = slow(FailurePolicy.REPORT);
        for (int i = 1; i < 60; i++) {
            source.complete(i);
        }
        Fixture.Task<Boolean> stop = f.start("stop", () -> serving.stop(Fixture.PATIENCE)).parked();
        assertThat(serving.status()).contains("stops once what has arrived is handled");
        mayGoOn.countDown();
        assertThat(stop.get()).isTrue();
        assertHandled(60);
        assertThat(cq.poll(batch)).isZero();
        assertFree();
    }

    /** A stop that runs out of time leaves the rest in the CQ, and says so. */
    @Test
    void aStopIsBounded() throws Exception {
        Serving serving = slow(FailurePolicy.REPORT);
        source.complete(1);
        source.complete(2);
        assertThat(serving.stop(Fixture.QUIET)).isFalse();
        assertThat(serving.status()).contains("run by", "stops after the current batch");
        mayGoOn.countDown();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        assertThat(serving.status()).contains("no thread runs it", "completions may be left");
        assertThat(serving.stop(Duration.ZERO)).as("it was not drained").isFalse();
        assertHandled(1);
        assertThat(cq.await(batch, 2, Fixture.PATIENCE)).isEqualTo(2);
        record(batch);
        assertFree();
    }

    /** A CQ to which others add all the time is not drained for longer than it was full. */
    @Test
    void aBusyCqIsDrainedOnce() throws Exception {
        AtomicInteger next = new AtomicInteger(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Serving serving =
                Serving.of(
                                cq,
                                batch -> {
                                    record(batch);
                                    isInHandler.countDown();
                                    mayGoOn.await();
                                    for (int i = 0; i < batch.size(); i++) {
                                        source.complete(next.getAndIncrement());
                                    }
                                },
                                FailurePolicy.REPORT)
                        .start(
                                Thread.ofVirtual()
                                        .uncaughtExceptionHandler((t, e) -> failure.set(e))
                                        .factory());
        source.complete(0);
        isInHandler.await();
        mayGoOn.countDown();
        Fixture.eventually("it goes round", () -> handled.size() > 3);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(failure).hasNullValue();
        assertThat(cq.await(batch, 1, Fixture.PATIENCE)).as("the one under way").isOne();
        record(batch);
        assertFree();
    }

    /** An interrupt of the thread that stops does not keep serving from ending. */
    @Test
    void anInterruptedStopStops() throws Exception {
        Serving serving = slow(FailurePolicy.REPORT);
        Fixture.Task<Boolean> stop = f.start("stop", () -> serving.stop(Fixture.PATIENCE)).parked();
        stop.thread.interrupt();
        assertThat(stop.failure()).isInstanceOf(InterruptedException.class);
        Fixture.Task<Boolean> close =
                f.start(
                                "close",
                                () -> {
                                    serving.close();
                                    return Thread.currentThread().isInterrupted();
                                })
                        .parked();
        close.thread.interrupt();
        mayGoOn.countDown();
        assertThat(close.get()).as("it stays interrupted").isTrue();
        assertThat(serving.join(Duration.ZERO)).isTrue();
        assertFree();
    }

    /** A handler may stop what runs it: it ends when the handler returns. */
    @Test
    void aHandlerStopsItself() throws Exception {
        AtomicReference<Serving> itself = new AtomicReference<>();
        CompletionHandler handler =
                batch -> {
                    record(batch);
                    isInHandler.countDown();
                    mayGoOn.await();
                    assertThat(itself.get().stop(Duration.ofDays(1))).isFalse();
                    itself.get().close();
                };
        itself.set(Serving.of(cq, handler, FailurePolicy.STOP));
        itself.get().start(catching());
        source.complete(0);
        isInHandler.await();
        source.complete(1);
        mayGoOn.countDown();
        assertThat(itself.get().join(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught).isEmpty();
        assertThat(itself.get().stop(Duration.ZERO)).as("it was drained").isTrue();
        assertFree();
    }

    /** An interrupt ends serving with the current batch; what is left stays. */
    @Test
    void anInterruptEndsServing() throws Exception {
        Serving serving = slow(FailurePolicy.REPORT);
        source.complete(1);
        serving.threads().getFirst().interrupt();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        assertThat(serving.status()).isEqualTo("no thread runs it");
        assertHandled(1);

        // It was not stopped, so another thread can take over.
        mayGoOn.countDown();
        serving.start(VIRTUAL);
        awaitHandled(2);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertFree();
    }

    static List<Throwable> failures() {
        return List.of(
                new IllegalArgumentException("on purpose"),
                new IOException("checked, on purpose"),
                new ClosedException("something else"),
                new StackOverflowError("on purpose"),
                new OutOfMemoryError("on purpose"),
                new AssertionError("on purpose"));
    }

    private CompletionHandler throwing(Throwable thrown) {
        return batch -> {
            record(batch);
            switch (thrown) {
                case Exception e -> throw e;
                case Error e -> throw e;
                default -> throw new AssertionError(thrown);
            }
        };
    }

    /** By default what a handler throws is reported, and it is called for the next batch. */
    @ParameterizedTest
    @MethodSource("failures")
    void aFailureIsReported(Throwable thrown) throws Exception {
        Serving serving = Serving.of(cq, throwing(thrown), FailurePolicy.REPORT).start(catching());
        for (int i = 0; i < 3; i++) {
            source.complete(i);
            awaitHandled(i + 1);
        }
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught).containsExactly(thrown, thrown, thrown);
        assertFree();
    }

    /** Where the uncaught exception handler fails, too, serving goes on. */
    @Test
    void aFailureWhoseReportFailsIsForgotten() throws Exception {
        ThreadFactory failing =
                Thread.ofVirtual()
                        .uncaughtExceptionHandler(
                                (thread, e) -> {
                                    uncaught.add(e);
                                    throw new IllegalStateException("so does this");
                                })
                        .factory();
        Exception thrown = new Exception("on purpose");
        Serving serving = Serving.of(cq, throwing(thrown), FailurePolicy.REPORT).start(failing);
        source.complete(0);
        awaitHandled(1);
        source.complete(1);
        awaitHandled(2);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught).containsExactly(thrown, thrown);
    }

    /** A handler that recurses without end, and one that needs more memory than there is. */
    @Test
    void realErrorsAreReported() throws Exception {
        Serving serving =
                Serving.of(
                                cq,
                                batch -> {
                                    record(batch);
                                    if (handled.size() == 1) {
                                        recurse(1);
                                    } else {
                                        handled.add((long) new long[Integer.MAX_VALUE].length);
                                    }
                                },
                                FailurePolicy.REPORT)
                        .start(catching());
        source.complete(0);
        awaitHandled(1);
        source.complete(1);
        awaitHandled(2);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught)
                .hasSize(2)
                .hasExactlyElementsOfTypes(StackOverflowError.class, OutOfMemoryError.class);
        assertFree();
    }

    @SuppressWarnings("InfiniteRecursion") // on purpose
    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    /** With STOP the thread ends with what was thrown, and the rest stays in the CQ. */
    @ParameterizedTest
    @MethodSource("failures")
    void aFailureStops(Throwable thrown) throws Exception {
        Serving serving = Serving.of(cq, throwing(thrown), FailurePolicy.STOP).start(catching());
        source.complete(0);
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        Fixture.eventually("it is reported", () -> uncaught.size() == 1);
        if (thrown instanceof IOException) {
            assertThat(uncaught.peek())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(cq.toString())
                    .hasCause(thrown);
        } else {
            assertThat(uncaught).containsExactly(thrown);
        }
        assertThat(serving.status()).contains("completions may be left", thrown.toString());
        assertThat(serving.stop(Duration.ZERO)).isFalse();
        assertThatThrownBy(serving::run).isInstanceOf(ClosedException.class);
        assertFree();
    }

    /** A plain executor runs it, and learns how it ended; its shutdown ends it. */
    @Test
    void anExecutorRunsIt() throws Exception {
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Serving serving = Serving.of(cq, this::record, FailurePolicy.STOP);
            Future<?> end = executor.submit(serving);
            source.complete(0);
            awaitHandled(1);
            assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
            assertThat(end.get()).isNull();

            IllegalStateException thrown = new IllegalStateException("on purpose");
            Future<?> failing =
                    executor.submit(Serving.of(cq, throwing(thrown), FailurePolicy.STOP));
            source.complete(1);
            assertThatThrownBy(failing::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCause(thrown);

            Future<?> interrupted =
                    executor.submit(Serving.of(cq, this::record, FailurePolicy.REPORT));
            source.complete(2);
            awaitHandled(3);
            executor.shutdownNow();
            assertThat(interrupted.get()).isNull();
        }
        assertFree();
    }

    /** In the calling thread it returns when it is stopped, and an interrupt is not lost. */
    @Test
    void theCallerServes() throws Exception {
        for (boolean interrupts : new boolean[] {false, true}) {
            Serving serving = Serving.of(cq, this::record, FailurePolicy.REPORT);
            int before = handled.size();
            Fixture.Task<Boolean> caller =
                    f.start(
                            Thread.ofPlatform(),
                            "caller",
                            () -> {
                                serving.run();
                                return Thread.currentThread().isInterrupted();
                            });
            source.complete(before);
            awaitHandled(before + 1);
            assertThat(serving.threads()).containsExactly(caller.thread);
            if (interrupts) {
                caller.thread.interrupt();
            } else {
                assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
            }
            assertThat(caller.get()).isEqualTo(interrupts);
        }
        assertFree();
    }

    /** A handler that closes its own CQ ends; the CQ is closed. */
    @Test
    void aHandlerClosesItsCq() throws Exception {
        CountDownLatch sent = new CountDownLatch(1);
        Serving serving =
                Serving.of(
                                cq,
                                batch -> {
                                    sent.await();
                                    source.close();
                                    cq.close();
                                    throw new IllegalStateException("after the close");
                                },
                                FailurePolicy.REPORT)
                        .start(catching());
        source.complete(0);
        sent.countDown();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught).hasSize(1);
        assertThat(serving.stop(Duration.ZERO)).as("nothing is left of it").isTrue();
        assertThatThrownBy(() -> Serving.of(cq, this::record, FailurePolicy.STOP).run())
                .isInstanceOf(ClosedException.class)
                .hasMessage(cq + " is closed");
    }

    /** A CQ that overruns ends serving with that, after what it holds was handled. */
    @Test
    void anOverrunEndsServing() throws Exception {
        CompletionQueue small = f.own(f.context.createDirectCq(1));
        Source overrunning = f.source(small);
        Serving serving =
                Serving.of(small, this::recordSlowly, FailurePolicy.REPORT).start(catching());
        overrunning.complete(0);
        isInHandler.await();
        overrunning.overrun();
        mayGoOn.countDown();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        Fixture.eventually("it is reported", () -> uncaught.size() == 1);
        assertThat(uncaught.peek()).isInstanceOf(VerbsException.class).hasMessageContaining("EIO");
        try (AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
        }
        overrunning.close();
    }

    /** Whatever goes wrong with the thread, the CQ is not being served afterwards. */
    @Test
    void aThreadThatCannotBeStartedLeavesNothing() throws Exception {
        Serving serving = Serving.of(cq, this::record, FailurePolicy.REPORT);
        IllegalStateException thrown = new IllegalStateException("no threads today");
        ThreadFactory failing =
                task -> {
                    throw thrown;
                };
        assertThatThrownBy(() -> serving.start(failing)).isSameAs(thrown);
        assertThatThrownBy(() -> serving.start(task -> null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(cq.toString());
        assertThatThrownBy(() -> serving.start(Thread::startVirtualThread))
                .isInstanceOf(IllegalStateException.class);
        OutOfMemoryError noMemory = new OutOfMemoryError("unable to create native thread");
        Throwable failure =
                catchThrowable(() -> serving.start(task -> new UnstartableThread(noMemory)));
        assertThat(failure).isSameAs(noMemory);
        assertThat(serving.threads()).isEmpty();
        assertThat(serving.join(Duration.ZERO)).isTrue();
        assertFree();

        // Nor has it used up the handle.
        serving.start(VIRTUAL);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
    }

    /** As if the system had no more threads. */
    static final class UnstartableThread extends Thread {
        private final Error error;

        UnstartableThread(Error error) {
            this.error = error;
        }

        @Override
        public void start() {
            throw error;
        }
    }

    /** A stop of what never ran, or ran out, does not wait, and claims nothing. */
    @Test
    void aStopOfWhatDoesNotRun() throws Exception {
        Serving serving = Serving.of(cq, this::record, FailurePolicy.REPORT);
        assertThat(serving.join(Duration.ZERO)).isTrue();
        assertThat(serving.stop(Fixture.PATIENCE)).as("nothing was drained").isFalse();
        assertThat(serving.stop(Fixture.PATIENCE)).isFalse();
        serving.close();
        assertThatThrownBy(() -> serving.start(VIRTUAL))
                .isInstanceOf(ClosedException.class)
                .hasMessage(serving + " is closed");
        assertFree();
    }
}
