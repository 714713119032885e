package io.loomverbs.internal.event;

import static io.loomverbs.internal.event.Collected.assertCollected;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** What is destroyed is kept by no queue that outlives it. */
@Timeout(60)
class ForgottenTest {
    private static final Closer WILLING = TestCloser.destroying();

    /** In a method of its own: no local variable of the test refers to what was made. */
    private static WeakReference<Object> made(Supplier<Object> maker) {
        return new WeakReference<>(maker.get());
    }

    /** One is still in the inbox; two have been listed. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aChannelForgetsADestroyedCqWhoseEventsNobodyReceived(int raised) throws Exception {
        EventQueue channel = EventQueue.shared(null);
        WeakReference<Object> owner =
                made(
                        () -> {
                            Object cq = new Object();
                            QueuedCq events = new NamedCq(channel, cq);
                            for (int i = 0; i < raised; i++) {
                                events.raise();
                            }
                            events.close(0, WILLING);
                            return cq;
                        });

        assertCollected(owner);
        assertThat(channel.tryTake()).isNull();
    }

    /** What a thread has waited with is kept for its next wait. */
    @Test
    void aChannelForgetsADestroyedCqWhoseEventAThreadHasWaitedFor() throws Exception {
        EventQueue channel = EventQueue.shared(null);
        WeakReference<Object> owner =
                made(
                        () -> {
                            Object cq = new Object();
                            QueuedCq events = new NamedCq(channel, cq);
                            AtomicReference<QueuedCq> taken = new AtomicReference<>();
                            Thread waiter = Thread.ofPlatform().start(() -> take(channel, taken));
                            while (waiter.getState() != Thread.State.WAITING) {
                                LockSupport.parkNanos(100_000);
                            }
                            events.raise();
                            try {
                                waiter.join();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            assertThat(taken.getAndSet(null)).isSameAs(events);
                            assertThat(events.tryAck(1)).isEqualTo(Ledger.ACKED);
                            events.close(0, WILLING);
                            return cq;
                        });

        assertCollected(owner);
        assertThat(channel.tryTake()).isNull();
    }

    /** What it has waited with is kept, for the case that it waits again. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aQueueForgetsAThreadThatHasWaited(boolean shared) throws Exception {
        EventQueue queue = shared ? EventQueue.shared(null) : EventQueue.ofOneCq(null);
        QueuedCq cq = new NamedCq(queue, "cq");
        WeakReference<Object> thread =
                made(
                        () -> {
                            AtomicReference<QueuedCq> taken = new AtomicReference<>();
                            Thread waiter =
                                    Thread.ofPlatform()
                                            .start(
                                                    () -> {
                                                        take(queue, taken);
                                                        take(queue, taken);
                                                    });
                            raiseForAWaiter(cq);
                            raiseForAWaiter(cq);
                            try {
                                waiter.join();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            assertThat(taken.get()).isSameAs(cq);
                            return waiter;
                        });
        assertCollected(thread);
        assertThat(queue.tryTake()).isNull();
    }

    private static void raiseForAWaiter(QueuedCq cq) {
        while (cq.queue().waiting().isEmpty()) {
            LockSupport.parkNanos(100_000);
        }
        cq.raise();
    }

    private static void take(EventQueue channel, AtomicReference<QueuedCq> taken) {
        try {
            taken.set(channel.take(Long.MAX_VALUE));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The device may tell of it late, as listeners are told without a lock. */
    @Test
    void aChannelForgetsADestroyedCqOfWhichAnEventComesLate() throws Exception {
        EventQueue channel = EventQueue.shared(null);
        WeakReference<Object> owner =
                made(
                        () -> {
                            Object cq = new Object();
                            QueuedCq events = new NamedCq(channel, cq);
                            events.close(0, WILLING);
                            events.raise();
                            return cq;
                        });

        assertCollected(owner);
        assertThat(channel.tryTake()).isNull();
    }

    @Test
    void aDestroyedObjectIsForgottenWithItsAsynchronousEvents() throws Exception {
        AsyncQueue context = new AsyncQueue();
        WeakReference<Object> owner =
                made(
                        () -> {
                            Object qp = new Object();
                            Ledger ledger = new Ledger();
                            context.raise(new AsyncQueue.Raised(1, 0, qp, ledger));
                            ledger.close(0, WILLING);
                            context.drop(qp);
                            return qp;
                        });

        assertCollected(owner);
        assertThat(context.take(0)).isNull();
    }

    /** A device may tell of something that happened before it destroyed the object. */
    @Test
    void anEventThatCameAfterTheDestroyIsForgotten() throws Exception {
        AsyncQueue context = new AsyncQueue();
        WeakReference<Object> owner =
                made(
                        () -> {
                            Object qp = new Object();
                            Ledger ledger = new Ledger();
                            ledger.close(0, WILLING);
                            context.raise(new AsyncQueue.Raised(1, 0, qp, ledger));
                            return qp;
                        });

        assertCollected(owner); // no thread looks
        assertThat(context.take(0)).isNull();
    }

    /** That a queue was closed says nothing new about one that has failed. */
    @Test
    void theFirstEndCounts() {
        EventQueue channel = EventQueue.shared(null);
        Throwable cause = new IllegalStateException("the device is gone");
        channel.end(cause);
        channel.end(null);

        assertThatThrownBy(() -> channel.take(0))
                .isInstanceOf(EventQueueEndedException.class)
                .hasCause(cause);
    }

    /** Its neighbours in the list of those that need a leader. */
    @Test
    void aQueueThatNeedsNoLeaderKeepsNoOther() throws Exception {
        Leadership leadership = new InMemorySource().leadership();
        StubQueue kept = new StubQueue();
        List<WeakReference<LedQueue>> others = enlistBetweenOthers(leadership, kept);
        try {
            for (WeakReference<LedQueue> other : others) {
                assertCollected(other);
            }
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    private static List<WeakReference<LedQueue>> enlistBetweenOthers(
            Leadership leadership, LedQueue queue) {
        List<LedQueue> all = List.of(new StubQueue(), queue, new StubQueue());
        all.forEach(leadership::enlist);
        leadership.forget(queue);
        leadership.forget(all.getFirst());
        leadership.forget(all.getLast());
        return List.of(new WeakReference<>(all.getFirst()), new WeakReference<>(all.getLast()));
    }
}
