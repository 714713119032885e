package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What queues keep and count, where a mistake would show much later. */
@Timeout(60)
class QueueBookkeepingTest {
    private static <T> FutureTask<T> start(Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofVirtual().start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
    }

    private static void awaitWaiter(EventQueue queue) {
        long start = System.nanoTime();
        while (waiters(queue) == 0) {
            assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
            LockSupport.parkNanos(100_000);
        }
    }

    private static int waiters(EventQueue queue) {
        queue.lock.lock();
        try {
            int n = 0;
            for (Waiter w = queue.firstWaiter; w != null; w = w.next) {
                n++;
            }
            return n;
        } finally {
            queue.lock.unlock();
        }
    }

    /** Events of others that share the channel are fetched on the way to one's own. */
    @Test
    void aTryFindsAnEventBehindThoseOfOthers() throws Exception {
        InMemorySource source = new InMemorySource();
        EventQueue queue = EventQueue.ofOneCq(source);
        EventQueue others = EventQueue.ofOneCq(source);
        QueuedCq cq = new NamedCq(queue, "cq");
        QueuedCq other = new NamedCq(others, "other");
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        source.add(other::raise);
        source.add(other::raise);
        source.add(cq::raise);
        assertThat(queue.tryTake()).isSameAs(cq);
        AsyncQueue.Raised event = new AsyncQueue.Raised(1, 1, null, null);
        source.add(other::raise);
        source.add(other::raise);
        source.add(() -> async.raise(event));
        assertThat(async.take(0)).isSameAs(event);
    }

    /** A wake-up that is passed on for a destroyed CQ is no event. */
    @Test
    void aDestroyedCqHasNoEventThatWasPassedOn() throws Exception {
        EventQueue queue = EventQueue.ofOneCq(null);
        QueuedCq cq = new NamedCq(queue, "cq");
        FutureTask<QueuedCq> waiter = start(() -> queue.take(Long.MAX_VALUE));
        awaitWaiter(queue);
        assertThat(cq.close(Long.MAX_VALUE, TestCloser.destroying()))
                .isEqualTo(CloseOutcome.CLOSED);
        cq.passOn();
        assertThat(cq.pending).isZero();
        assertThat(waiters(queue)).isOne();
        queue.end(null);
        assertThatThrownBy(() -> result(waiter)).hasCauseInstanceOf(EventQueueEndedException.class);
    }

    @Test
    void theFirstEndOfAsynchronousEventsCounts() {
        AsyncQueue queue = new AsyncQueue();
        RuntimeException cause = new IllegalStateException("first");
        queue.end(cause);
        queue.end(new IllegalStateException("second"));
        queue.end(null);
        assertThatThrownBy(() -> queue.take(0)).hasCause(cause);
    }

    /** The queue of one that has come to lead has others, which wait for it to leave. */
    @Test
    void thoseBehindALeaderOfAsynchronousEventsLeadAfterIt() throws Exception {
        InMemorySource source = new InMemorySource();
        EventQueue queue = EventQueue.shared(source);
        QueuedCq cq = new NamedCq(queue, "cq");
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        FutureTask<QueuedCq> leader = start(() -> queue.take(Long.MAX_VALUE));
        source.awaitLeader();
        Thread[] threads = new Thread[2];
        FutureTask<?>[] tasks = new FutureTask<?>[2];
        for (int i = 0; i < 2; i++) {
            FutureTask<AsyncQueue.Raised> task = new FutureTask<>(() -> async.take(Long.MAX_VALUE));
            tasks[i] = task;
            threads[i] = Thread.ofVirtual().start(task);
            awaitWaiting(threads[i]);
        }
        source.add(cq::raise);
        assertThat(result(leader)).isSameAs(cq);
        source.awaitLeader(threads[0]);
        threads[0].interrupt();
        source.awaitLeader(threads[1]);
        AsyncQueue.Raised event = new AsyncQueue.Raised(1, 1, null, null);
        source.add(() -> async.raise(event));
        assertThat(tasks[1].get(20, TimeUnit.SECONDS)).isSameAs(event);
        assertThatThrownBy(() -> tasks[0].get(20, TimeUnit.SECONDS))
                .hasCauseInstanceOf(InterruptedException.class);
    }

    private static void awaitWaiting(Thread thread) {
        long start = System.nanoTime();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
            LockSupport.parkNanos(100_000);
        }
    }

    /** A thread that only asks must not take what a waiter is about to be handed. */
    @Test
    void anEventThatIsWantedIsKeptNowhereElse() throws Exception {
        EventQueue queue = EventQueue.shared(null);
        QueuedCq cq = new NamedCq(queue, "cq");
        FutureTask<QueuedCq> waiter = start(() -> queue.take(Long.MAX_VALUE));
        awaitWaiter(queue);
        Thread raising;
        queue.lock.lock();
        try {
            raising = Thread.ofPlatform().start(cq::raise);
            long start = System.nanoTime();
            while (!queue.lock.hasQueuedThread(raising)) {
                assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
                LockSupport.parkNanos(100_000);
            }
            assertThat(queue.tryTake()).isNull();
        } finally {
            queue.lock.unlock();
        }
        assertThat(result(waiter)).isSameAs(cq);
        raising.join();
    }

    /** A thread that takes every event, while another that was handed one waits for its carrier. */
    static final class Passing {
        private static final int MOST = 200;
        private static final long HANDLED_NANOS = 10_000;

        public static void main(String[] args) throws Exception {
            EventQueue queue = EventQueue.shared(null);
            QueuedCq cq = new NamedCq(queue, "cq");
            FutureTask<QueuedCq> other =
                    QueueBookkeepingTest.start(() -> queue.take(20_000_000_000L));
            awaitWaiter(queue);
            FutureTask<String> passing =
                    QueueBookkeepingTest.start(
                            () -> {
                                for (int i = 0; i < MOST; i++) {
                                    cq.raise();
                                    if (i > 0 && !cq.equals(queue.take(Long.MAX_VALUE))) {
                                        return "no event";
                                    }
                                    long start = System.nanoTime();
                                    while (System.nanoTime() - start < HANDLED_NANOS) {
                                        Thread.onSpinWait();
                                    }
                                    if (other.isDone()) {
                                        return "it runs";
                                    }
                                }
                                return "it does not run";
                            });
            System.out.println(result(passing));
        }
    }

    @Test
    void aThreadThatPassesOthersLetsThemHaveItsCarrier() throws Exception {
        String printed =
                ChildJvm.run(
                        Passing.class,
                        List.of(
                                "-Djdk.virtualThreadScheduler.parallelism=1",
                                "-Djdk.virtualThreadScheduler.maxPoolSize=1"));
        assertThat(printed).isEqualTo("it runs\n");
    }
}
