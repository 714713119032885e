package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ChannelHandler;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;
import io.loomverbs.ServingThreads;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

/** A pool of threads that handles the completions of the CQs of one channel. */
@SuppressWarnings("try") // joins threads, which may be interrupted
class DeviceChannelServingTest extends DeviceContract {
    private final CompletionChannel channel = f.channel();
    private final Map<CompletionQueue, ConcurrentLinkedQueue<Long>> handled =
            new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Throwable> uncaught = new ConcurrentLinkedQueue<>();

    private void record(CompletionQueue cq, WorkCompletions batch) {
        ConcurrentLinkedQueue<Long> of =
                handled.computeIfAbsent(cq, c -> new ConcurrentLinkedQueue<>());
        for (int i = 0; i < batch.size(); i++) {
            of.add(batch.wrId(i));
        }
    }

    private int count() {
        return handled.values().stream().mapToInt(ConcurrentLinkedQueue::size).sum();
    }

    private void awaitCount(int n) {
        Fixture.eventually(n + " completions are handled", () -> count() == n);
    }

    private ThreadFactory catching() {
        return Thread.ofVirtual()
                .uncaughtExceptionHandler((thread, e) -> uncaught.add(e))
                .factory();
    }

    private List<CompletionQueue> cqs(int n) {
        List<CompletionQueue> cqs = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            cqs.add(f.on(channel));
        }
        return cqs;
    }

    /** The channel can be used by others. */
    private void assertFree(CompletionQueue cq, Source source) throws InterruptedException {
        cq.reqNotify(false);
        source.complete(99);
        try (CqEvent event = channel.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
        }
        Fixture.eventually("it is there", () -> cq.poll(batch) > 0);
        for (CqEvent e = channel.tryGetCqEvent(); e != null; e = channel.tryGetCqEvent()) {
            e.close(); // of an arm of before
        }
        assertThat(cq.unackedEvents()).isZero();
    }

    /** CQs of before and of later are served, with what they held, each in order. */
    @Test
    void allCqsAreServed() throws Exception {
        List<CompletionQueue> cqs = cqs(3);
        List<Source> sources = new ArrayList<>();
        for (CompletionQueue cq : cqs) {
            sources.add(f.source(cq));
            sources.getLast().complete(0); // not armed
        }
        Serving serving = channel.serve(this::record, 2);
        assertThat(serving.threads())
                .extracting(Thread::getName)
                .containsExactly(channel + "/handler-1", channel + "/handler-2");
        awaitCount(3);
        cqs.add(f.on(channel));
        sources.add(f.source(cqs.getLast()));
        sources.getLast().complete(0);
        for (int i = 1; i < 40; i++) {
            for (Source source : sources) {
                source.complete(i);
            }
        }
        awaitCount(160);
        for (CompletionQueue cq : cqs) {
            assertThat(handled.get(cq))
                    .containsExactlyElementsOf(LongStream.range(0, 40).boxed().toList());
        }
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(serving.threads()).isEmpty();
        assertFree(cqs.getFirst(), sources.getFirst());
    }

    /** As many handlers as there are threads may block, of as many CQs; one of each CQ. */
    @Test
    void handlersBlockSideBySide() throws Exception {
        List<CompletionQueue> cqs = cqs(4);
        List<Source> sources = cqs.stream().map(f::source).toList();
        Semaphore mayGoOn = new Semaphore(0);
        AtomicInteger inside = new AtomicInteger();
        Map<CompletionQueue, AtomicInteger> insideOf = new ConcurrentHashMap<>();
        AtomicInteger most = new AtomicInteger();
        Serving serving =
                channel.serve(
                        (cq, batch) -> {
                            AtomicInteger own =
                                    insideOf.computeIfAbsent(cq, c -> new AtomicInteger());
                            most.accumulateAndGet(own.incrementAndGet(), Math::max);
                            inside.incrementAndGet();
                            mayGoOn.acquire();
                            record(cq, batch);
                            own.decrementAndGet();
                            inside.decrementAndGet();
                        },
                        3);
        for (int i = 0; i < 5; i++) {
            for (Source source : sources) {
                source.complete(i);
            }
        }
        Fixture.eventually("all threads block", () -> inside.get() == 3);
        mayGoOn.release(1000);
        awaitCount(20);
        assertThat(most).as("handlers of one CQ at once").hasValue(1);
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        for (CompletionQueue cq : cqs) {
            assertThat(handled.get(cq)).containsExactly(0L, 1L, 2L, 3L, 4L);
        }
    }

    /** A stop drains all CQs, those whose handler runs, too. */
    @Test
    void aStopDrains() throws Exception {
        List<CompletionQueue> cqs = cqs(5);
        List<Source> sources = cqs.stream().map(f::source).toList();
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(2);
        Serving serving =
                channel.serve(
                        (cq, batch) -> {
                            record(cq, batch);
                            inside.countDown();
                            mayGoOn.await();
                        },
                        2);
        sources.get(0).complete(0);
        sources.get(1).complete(0);
        inside.await();
        for (int i = 1; i < 40; i++) {
            for (Source source : sources) {
                source.complete(i);
            }
        }
        Fixture.Task<Boolean> stop = f.start("stop", () -> serving.stop(Fixture.PATIENCE)).parked();
        mayGoOn.countDown();
        assertThat(stop.get()).isTrue();
        assertThat(count()).isEqualTo(2 + 39 * 5);
        for (CompletionQueue cq : cqs) {
            assertThat(cq.poll(batch)).isZero();
        }
        assertFree(cqs.getFirst(), sources.getFirst());
    }

    /** A stop that runs out of time leaves the rest, and says so. */
    @Test
    void aStopIsBounded() throws Exception {
        CompletionQueue cq = f.on(channel);
        CompletionQueue other = f.on(channel);
        Source source = f.source(cq);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(1);
        ChannelHandler handler =
                (of, batch) -> {
                    record(of, batch);
                    inside.countDown();
                    mayGoOn.await();
                };
        Serving serving =
                Serving.of(channel, handler, FailurePolicy.REPORT)
                        .start(Thread.ofVirtual().name("lonely").factory());
        source.complete(0);
        inside.await();
        source.complete(1);
        f.source(other).complete(0);
        assertThat(serving.stop(Fixture.QUIET)).isFalse();
        assertThat(serving.status()).isEqualTo("run by \"lonely\", stops after the current batch");
        mayGoOn.countDown();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        assertThat(serving.status()).contains("completions may be left");
        assertThat(count()).isOne();
        assertThat(cq.poll(batch) + other.poll(batch)).isEqualTo(2);
    }

    /** A CQ that always has completions leaves the others their turns. */
    @Test
    void aBusyCqLetsOthersCome() throws Exception {
        CompletionQueue busy = f.on(channel);
        CompletionQueue other = f.on(channel);
        Source source = f.source(busy);
        Source rare = f.source(other);
        CountDownLatch otherCame = new CountDownLatch(1);
        AtomicInteger next = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            source.complete(0); // before: from then on it belongs to the handler's thread
        }
        try (Serving serving =
                channel.serve(
                        (cq, batch) -> {
                            if (cq == other) {
                                otherCame.countDown();
                            } else if (otherCame.getCount() > 0) {
                                for (int i = 0; i < batch.size(); i++) {
                                    source.complete(next.incrementAndGet());
                                }
                            }
                        },
                        1)) {
            Fixture.eventually("it goes round", () -> next.get() > 100);
            rare.complete(0);
            otherCame.await();
        }
    }

    /** What a handler throws is reported; that CQ and the others are served on. */
    @Test
    void aFailureIsReported() throws Exception {
        List<CompletionQueue> cqs = cqs(2);
        List<Source> sources = cqs.stream().map(f::source).toList();
        Exception thrown = new Exception("on purpose");
        Serving serving =
                Serving.of(
                        channel,
                        (cq, batch) -> {
                            record(cq, batch);
                            throw thrown;
                        },
                        FailurePolicy.REPORT);
        serving.start(catching()).start(catching());
        for (int i = 0; i < 3; i++) {
            sources.get(0).complete(i);
            sources.get(1).complete(i);
            awaitCount(2 * (i + 1));
        }
        assertThat(serving.stop(Fixture.PATIENCE)).isTrue();
        assertThat(uncaught).hasSize(6).containsOnly(thrown);
        assertFree(cqs.getFirst(), sources.getFirst());
    }

    /** With STOP one failure ends all threads; what they have not polled stays. */
    @Test
    void aFailureStopsAll() throws Exception {
        CompletionQueue cq = f.on(channel);
        Source source = f.source(cq);
        Error thrown = new StackOverflowError("on purpose");
        Serving serving =
                Serving.of(
                        channel,
                        (of, batch) -> {
                            throw thrown;
                        },
                        FailurePolicy.STOP);
        for (int i = 0; i < 3; i++) {
            serving.start(catching());
        }
        source.complete(0);
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        Fixture.eventually("it is reported", () -> uncaught.size() == 1);
        assertThat(uncaught).containsExactly(thrown);
        assertThat(serving.status()).contains("its handler has thrown " + thrown);
        assertThat(serving.stop(Duration.ZERO)).isFalse();
        assertFree(cq, source);
    }

    /** A handler may close its CQ, and create others on the channel. */
    @Test
    void cqsComeAndGo() throws Exception {
        AtomicInteger closed = new AtomicInteger();
        Map<CompletionQueue, Source> sources = new ConcurrentHashMap<>();
        Map<CompletionQueue, CountDownLatch> sent = new ConcurrentHashMap<>();
        Serving serving =
                Serving.of(
                        channel,
                        (cq, batch) -> {
                            sent.get(cq).await();
                            sources.get(cq).close();
                            cq.close();
                            closed.incrementAndGet();
                        },
                        FailurePolicy.REPORT);
        serving.start(catching()).start(catching());
        for (int i = 0; i < 20; i++) {
            CompletionQueue cq = f.on(channel);
            sources.put(cq, f.source(cq));
            sent.put(cq, new CountDownLatch(1));
            sources.get(cq).complete(i);
            sent.get(cq).countDown();
        }
        Fixture.eventually("all are closed", () -> closed.get() == 20);
        assertThat(uncaught).isEmpty();
        channel.close();
        assertThat(serving.join(Fixture.PATIENCE)).isTrue();
        assertThat(serving.stop(Duration.ZERO)).as("nothing is left").isTrue();
    }

    /** An interrupt takes one thread out, and the others go on. */
    @Test
    void anInterruptEndsOneThread() throws Exception {
        CompletionQueue cq = f.on(channel);
        Source source = f.source(cq);
        Serving serving = channel.serve(this::record, 3);
        for (int left = 2; left >= 0; left--) {
            source.complete(left);
            awaitCount(3 - left);
            Thread first = serving.threads().getFirst();
            first.interrupt();
            assertThat(first.join(Fixture.PATIENCE)).isTrue();
            assertThat(serving.threads()).hasSize(left);
        }
        assertFree(cq, source);
        assertThat(serving.stop(Duration.ZERO)).as("no thread was left to drain").isFalse();
    }

    /** While it is served, nobody else receives its events or serves it. */
    @Test
    void aServedChannelGivesNothingToOthers() throws Exception {
        try (Serving serving = channel.serve(this::record, 1)) {
            for (ThrowingCallable other :
                    List.<ThrowingCallable>of(
                            channel::getCqEvent,
                            () -> channel.getCqEvent(Duration.ZERO),
                            channel::tryGetCqEvent,
                            () -> channel.serve(this::record, 1),
                            () -> Serving.of(channel, this::record, FailurePolicy.STOP).run())) {
                assertThatThrownBy(other)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll(
                                channel.toString(),
                                "being served",
                                "\"" + channel + "/handler-1\"");
            }
        }
    }

    /** If one of the threads cannot be started, none stays. */
    @Test
    void aThreadThatCannotBeStartedLeavesNothing() throws Exception {
        CompletionQueue cq = f.on(channel);
        Source source = f.source(cq);
        Serving serving = Serving.of(channel, this::record, FailurePolicy.REPORT);
        OutOfMemoryError noMemory = new OutOfMemoryError("unable to create native thread");
        assertThatThrownBy(
                        () ->
                                serving.start(
                                        task -> new DeviceServingTest.UnstartableThread(noMemory)))
                .isSameAs(noMemory);
        assertThat(serving.threads()).isEmpty();
        assertFree(cq, source);
    }

    /** If the last of several cannot be started, those that run end, and what they had is free. */
    @Test
    void theLastThreadCannotBeStarted() throws Exception {
        CompletionQueue cq = f.on(channel);
        Source source = f.source(cq);
        Serving serving = Serving.of(channel, this::record, FailurePolicy.REPORT);
        OutOfMemoryError noMemory = new OutOfMemoryError("unable to create native thread");
        List<Thread> started = new ArrayList<>();
        assertThatThrownBy(
                        () ->
                                ServingThreads.start(
                                        serving,
                                        task -> {
                                            if (started.size() == 2) {
                                                return new DeviceServingTest.UnstartableThread(
                                                        noMemory);
                                            }
                                            started.add(Thread.ofVirtual().unstarted(task));
                                            return started.getLast();
                                        },
                                        3))
                .isSameAs(noMemory);
        assertThat(serving.threads()).isEmpty();
        for (Thread thread : started) {
            assertThat(thread.join(Fixture.PATIENCE)).isTrue();
        }
        assertThatThrownBy(() -> serving.start(Thread.ofVirtual().factory()))
                .isInstanceOf(ClosedException.class);
        assertFree(cq, source);
    }

    /** CQs with direct delivery, whose events the channel only carries, are left alone. */
    @Test
    void directCqsAreNotServed() throws Exception {
        CompletionQueue direct = f.own(f.context.createDirectCq(16, null, channel, 0));
        Source source = f.source(direct);
        try (Serving serving = channel.serve(this::record, 1)) {
            source.complete(1);
            assertThat(direct.await(batch, 1, Fixture.PATIENCE)).isOne();
        }
        assertThat(handled).isEmpty();
    }
}
