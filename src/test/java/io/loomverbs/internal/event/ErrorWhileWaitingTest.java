package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.Serial;
import java.lang.reflect.Field;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A wait that an Error ends, as when memory has run out, leaves no waiter, event or lead behind.
 */
@Timeout(60)
class ErrorWhileWaitingTest {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final Error error = new OutOfMemoryError("planted");
    private volatile Runnable onAsk = this::nothing;
    private final InMemorySource source =
            new InMemorySource(
                    new Carriers() {
                        private boolean asked;

                        @Override
                        public Loan ask(Borrower borrower) {
                            onAsk.run();
                            boolean again = asked;
                            asked = true;
                            return again ? Loan.SERVING : Loan.COMING;
                        }

                        @Override
                        public void giveBack() {
                            throw new AssertionError("there is no end");
                        }
                    });
    private final EventQueue queue = EventQueue.shared(source);
    private final QueuedCq cq = new NamedCq(queue, "cq");

    private void nothing() {}

    private void fails() {
        throw error;
    }

    private FutureTask<QueuedCq> start() {
        FutureTask<QueuedCq> task = new FutureTask<>(() -> queue.take(PATIENCE_NANOS));
        Thread.ofVirtual().start(task);
        return task;
    }

    private QueuedCq result(FutureTask<QueuedCq> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
    }

    private void assertFails(FutureTask<QueuedCq> task) {
        assertThatThrownBy(() -> result(task))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isSameAs(error);
    }

    private void assertNobodyIsLeft() throws Exception {
        cq.raise();
        assertThat(queue.tryTake()).as("not handed to a waiter that is gone").isSameAs(cq);
        assertThat(source.joined).hasValue(0);
        source.add(cq::raise);
        assertThat(result(start())).as("there is a lead to take").isSameAs(cq);
    }

    @Test
    void inTheFeed() throws Exception {
        source.refusal = error;
        assertFails(start());
        source.refusal = null;
        assertNobodyIsLeft();
    }

    @Test
    void whenItIsAskedWhetherToBlock() throws Exception {
        onAsk = this::fails;
        assertFails(start());
        onAsk = this::nothing;
        assertNobodyIsLeft();
    }

    /** The event counts as delivered, so it is what the caller gets. */
    @Test
    void afterAnEventWasHandedOver() throws Exception {
        onAsk =
                () -> {
                    cq.raise();
                    fails();
                };
        assertThat(result(start())).isSameAs(cq);
        onAsk = this::nothing;
        assertNobodyIsLeft();
    }

    /** The waiters are woken nevertheless. */
    @Test
    void inTheEndOfAQueue() throws Exception {
        FutureTask<QueuedCq> leader = start();
        source.awaitLeader();
        source.refusal = error;
        assertThatThrownBy(() -> queue.end(null)).isSameAs(error);
        assertThatThrownBy(() -> result(leader)).hasCauseInstanceOf(EventQueueEndedException.class);
    }

    /** The lock of a queue for which there is not enough stack a few times. */
    private static final class UnluckyLock extends ReentrantLock {
        @Serial private static final long serialVersionUID = 1L;

        private int errors;

        @Override
        public void lock() {
            if (errors > 0) {
                errors--;
                throw new StackOverflowError("planted");
            }
            super.lock();
        }
    }

    /** A taken lock needs more stack than a free one: it is free later. */
    @Test
    void andAgainAsItGivesUp() throws Exception {
        UnluckyLock lock = new UnluckyLock();
        Field field = ListingQueue.class.getDeclaredField("lock");
        field.setAccessible(true);
        field.set(queue, lock);
        onAsk =
                () -> {
                    lock.errors = 3;
                    fails();
                };
        assertFails(start());
        onAsk = this::nothing;
        assertThat(lock.errors).isZero();
        assertNobodyIsLeft();
    }
}
