package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** The core, without a device: which thread gets which event, and what a close does to it. */
@Timeout(60)
class EventQueueTest {
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final long FOR_EVER = Long.MAX_VALUE;

    /** A device that always agrees, and a closer that never gives up. */
    private static final Closer WILLING = TestCloser.destroying();

    private final EventQueue queue = EventQueue.shared(null);

    private QueuedCq cq(String name) {
        return new NamedCq(queue, name);
    }

    private QueuedCq take() throws InterruptedException {
        return queue.take(PATIENCE_NANOS);
    }

    private static Thread parked(Thread thread) {
        long start = System.nanoTime();
        while (thread.getState() != Thread.State.WAITING
                && thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            LockSupport.parkNanos(20_000);
        }
        return thread;
    }

    /** Events come in the order in which they came up, and CQs with several take turns. */
    @Test
    void cqsTakeTurns() throws Exception {
        QueuedCq a = cq("a");
        QueuedCq b = cq("b");
        QueuedCq c = cq("c");
        for (QueuedCq cq : List.of(a, a, a, b, c, b)) {
            cq.raise();
        }
        List<Object> order = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            order.add(take().toString());
        }
        assertThat(order).containsExactly("a", "b", "c", "a", "b", "a");
        assertThat(queue.tryTake()).isNull();
        assertThat(a.outstanding()).isEqualTo(3);
    }

    /**
     * A thread that armed before another was given the event does not wait for one; a thread that
     * waits already is woken by the one that leaves.
     */
    @Test
    void aSharedArmIsPassedOn() throws Exception {
        QueuedCq cq = cq("cq");
        int seen = queue.delivered();
        cq.raise();
        assertThat(queue.takeUnlessPassed(FOR_EVER, seen, null)).isSameAs(cq);
        assertThat(queue.takeUnlessPassed(FOR_EVER, seen, null)).isNull();
        cq.raise();
        assertThat(queue.takeUnlessPassed(FOR_EVER, seen, null))
                .as("what is there is given")
                .isNotNull();

        AtomicReference<QueuedCq> given = new AtomicReference<>();
        int now = queue.delivered();
        Thread waiter =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        given.set(
                                                queue.takeUnlessPassed(PATIENCE_NANOS, now, null));
                                    } catch (InterruptedException e) {
                                        throw new AssertionError(e);
                                    }
                                });
        parked(waiter);
        cq.passOn();
        waiter.join();
        assertThat(given).hasValue(cq);
        assertThat(cq.outstanding()).isEqualTo(3);

        cq.passOn();
        assertThat(queue.tryTake()).as("no thread waits, so no wake-up is owed").isNull();
    }

    /** A close counts as begun before it waits: events that come up then wait for its end. */
    @Test
    void eventsOfAClosingCqWaitForItsEnd() throws Exception {
        for (boolean destroys : new boolean[] {true, false}) {
            QueuedCq closing = cq("closing");
            QueuedCq other = cq("other");
            closing.raise();
            assertThat(take()).isSameAs(closing);
            closing.raise();
            AtomicReference<CloseOutcome> outcome = new AtomicReference<>();
            Thread closer =
                    Thread.ofPlatform()
                            .start(
                                    () ->
                                            outcome.set(
                                                    closing.close(
                                                            FOR_EVER, new TestCloser(!destroys))));
            parked(closer);
            closing.raise();
            other.raise();
            assertThat(queue.tryTake()).isSameAs(other);
            assertThat(queue.tryTake()).isNull();

            assertThat(closing.tryAck(1)).isEqualTo(Ledger.ACKED);
            closer.join();

            assertThat(outcome).hasValue(destroys ? CloseOutcome.CLOSED : CloseOutcome.REFUSED);
            for (int i = 0; i < 2; i++) {
                assertThat(queue.tryTake()).isSameAs(destroys ? null : closing);
            }
            closing.raise();
            assertThat(queue.tryTake()).isSameAs(destroys ? null : closing);
            assertThat(queue.tryTake()).isNull();
        }
    }

    /** A destroyed CQ is forgotten at once, not when a thread next looks at the channel. */
    @Test
    void aDestroyedCqIsForgotten() {
        QueuedCq cq = cq("cq");
        cq.raise();
        cq.raise();
        assertThat(cq.listed).isTrue();
        assertThat(cq.close(0, WILLING)).isEqualTo(CloseOutcome.CLOSED);
        assertThat(cq.listed).isFalse();
        assertThat(cq.pending).isZero();
    }

    /** After a failure what came before is delivered first, then every waiter is told the cause. */
    @Test
    void aFailureComesAfterWhatWasThere() throws Exception {
        QueuedCq cq = cq("cq");
        cq.raise();
        Exception cause = new Exception("the device is gone");
        queue.end(cause);
        queue.end(null);
        cq.raise();
        assertThat(take()).isSameAs(cq);
        assertThat(take()).isSameAs(cq);
        assertThatThrownBy(() -> queue.take(FOR_EVER))
                .isInstanceOf(EventQueueEndedException.class)
                .hasCause(cause);
        assertThatThrownBy(() -> queue.take(0)).isInstanceOf(EventQueueEndedException.class);
        assertThatThrownBy(queue::tryTake).isInstanceOf(EventQueueEndedException.class);
    }

    /** Each thread that is told of a failure gets an exception of its own. */
    @Test
    void everyWaiterIsToldOfTheEnd() throws Exception {
        List<Thread> waiters = new ArrayList<>();
        List<AtomicReference<Throwable>> told = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            AtomicReference<Throwable> mine = new AtomicReference<>();
            told.add(mine);
            Thread.Builder kind = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            long nanos = i % 3 == 0 ? PATIENCE_NANOS : FOR_EVER;
            waiters.add(
                    parked(kind.start(() -> mine.set(catchThrowable(() -> queue.take(nanos))))));
        }
        queue.end(null);
        for (Thread waiter : waiters) {
            waiter.join();
        }
        assertThat(told.stream().map(AtomicReference::get).distinct()).hasSize(6);
        assertThat(told)
                .allSatisfy(e -> assertThat(e.get()).isInstanceOf(EventQueueEndedException.class));
    }

    /** A close that is refused or given up leaves the ledger as it was, for the next to try. */
    @Test
    void aCloseThatFailsLeavesTheLedgerOpen() {
        Ledger ledger = new Ledger();
        assertThat(ledger.tryDeliver()).isEqualTo(Ledger.DELIVERED);
        assertThat(ledger.tryDeliver()).isEqualTo(Ledger.DELIVERED);
        assertThat(ledger.tryDeliverAsync()).isTrue();
        assertThat(ledger.close(0, WILLING)).isEqualTo(CloseOutcome.TIMED_OUT);
        assertThat(ledger.close(1_000_000, WILLING)).isEqualTo(CloseOutcome.TIMED_OUT);
        assertThat(ledger.tryAck(3)).isEqualTo(2);
        assertThat(ledger.tryAck(2)).isEqualTo(Ledger.ACKED);
        assertThat(ledger.close(0, WILLING)).as("asynchronous").isEqualTo(CloseOutcome.TIMED_OUT);
        assertThat(ledger.tryAckAsync()).isEqualTo(Ledger.ACKED);
        assertThat(ledger.tryAckAsync()).isZero();
        assertThat(ledger.close(0, TestCloser.refusing())).isEqualTo(CloseOutcome.REFUSED);
        assertThat(ledger.isClosing()).isFalse();
        RuntimeException broken = new RuntimeException("on purpose");
        assertThatThrownBy(
                        () ->
                                ledger.close(
                                        0,
                                        new TestCloser(false) {
                                            @Override
                                            public boolean destroy() {
                                                throw broken;
                                            }
                                        }))
                .isSameAs(broken);
        assertThat(ledger.isClosing()).isFalse();
        assertThat(ledger.tryDeliver()).isEqualTo(Ledger.DELIVERED);
        assertThat(ledger.tryAck(1)).isEqualTo(Ledger.ACKED);
        assertThat(ledger.close(0, WILLING)).isEqualTo(CloseOutcome.CLOSED);
        assertThat(ledger.close(0, TestCloser.refusing())).isEqualTo(CloseOutcome.CLOSED);
        assertThat(ledger.tryDeliver()).isEqualTo(Ledger.REFUSED);
        assertThat(ledger.tryDeliverAsync()).isFalse();
        assertThat(ledger.tryAck(1)).isZero();
    }

    /** Events, waiters that give up, and failing closes race: each event is delivered once. */
    @Test
    void nothingIsLostAmongThoseWhoGiveUp() throws Exception {
        int cqs = 4;
        int each = 20_000;
        List<QueuedCq> all = new ArrayList<>();
        for (int i = 0; i < cqs; i++) {
            all.add(cq("cq-" + i));
        }
        AtomicLong taken = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger failures = new AtomicInteger();
        List<Thread> takers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            long nanos = i == 0 ? PATIENCE_NANOS : 1L << (4 * i);
            takers.add(
                    (i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform())
                            .start(
                                    () -> {
                                        while (!done.get() && taken.get() < (long) cqs * each) {
                                            try {
                                                QueuedCq cq = queue.take(nanos);
                                                if (cq != null) {
                                                    taken.incrementAndGet();
                                                    if (cq.tryAck(1) != Ledger.ACKED) {
                                                        failures.incrementAndGet();
                                                    }
                                                }
                                            } catch (InterruptedException e) {
                                                // One way to give up.
                                            }
                                        }
                                    }));
        }
        CountDownLatch raised = new CountDownLatch(cqs);
        List<Thread> others = new ArrayList<>();
        for (QueuedCq cq : all) {
            others.add(
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        for (int i = 0; i < each; i++) {
                                            cq.raise();
                                        }
                                        raised.countDown();
                                    }));
        }
        others.add(
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    Closer unwilling = TestCloser.refusing();
                                    for (int i = 0; raised.getCount() > 0; i++) {
                                        all.get(i % cqs).close(0, unwilling);
                                        takers.get(i % takers.size()).interrupt();
                                    }
                                }));
        for (Thread thread : others) {
            thread.join();
        }
        long start = System.nanoTime();
        while (taken.get() < (long) cqs * each && System.nanoTime() - start < PATIENCE_NANOS) {
            LockSupport.parkNanos(100_000);
        }
        done.set(true);
        takers.forEach(Thread::interrupt);
        for (Thread taker : takers) {
            taker.join();
        }
        assertThat(taken).hasValue((long) cqs * each);
        assertThat(failures).hasValue(0);
        assertThat(queue.tryTake()).isNull();
        assertThat(all)
                .allSatisfy(cq -> assertThat(cq.close(0, WILLING)).isEqualTo(CloseOutcome.CLOSED));
    }

    /** As many as a count holds are unacknowledged: the next one waits, and is not lost. */
    @Test
    void anEventForWhichThereIsNoRoomStaysPending() throws Exception {
        QueuedCq cq = cq("full");
        outstanding(cq, Ledger.MOST_OUTSTANDING);
        AtomicReference<QueuedCq> got = new AtomicReference<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread waiter =
                Thread.ofVirtual()
                        .uncaughtExceptionHandler((thread, thrown) -> failure.set(thrown))
                        .start(
                                () -> {
                                    try {
                                        got.set(take());
                                    } catch (InterruptedException e) {
                                        throw new AssertionError(e);
                                    }
                                });
        parked(waiter);

        cq.raise(); // throws nothing into the device

        assertThat(queue.tryTake()).isNull();
        assertThat(got.get()).isNull();
        assertThat(cq.outstanding()).isEqualTo(Ledger.MOST_OUTSTANDING);
        assertThat(cq.tryAck(1)).isEqualTo(Ledger.ACKED);
        assertThat(waiter.join(Duration.ofNanos(PATIENCE_NANOS))).isTrue();
        assertThat(failure.get()).isNull();
        assertThat(got.get()).isSameAs(cq);
        assertThat(cq.outstanding()).isEqualTo(Ledger.MOST_OUTSTANDING);
    }

    @Test
    void whatWasListedBeforeThereWasNoRoomIsTakenOnceThereIs() throws Exception {
        QueuedCq cq = cq("full");
        outstanding(cq, Ledger.MOST_OUTSTANDING - 1);
        cq.raise();
        cq.raise();

        assertThat(queue.tryTake()).isSameAs(cq);
        assertThat(queue.tryTake()).isNull();
        assertThat(cq.tryAck(2)).isEqualTo(Ledger.ACKED);
        assertThat(queue.tryTake()).isSameAs(cq);
        assertThat(queue.tryTake()).isNull();
        assertThat(cq.outstanding()).isEqualTo(Ledger.MOST_OUTSTANDING - 1);
    }

    /** Two thousand million deliveries would take a while. */
    private static void outstanding(Ledger ledger, int events) throws ReflectiveOperationException {
        MethodHandles.privateLookupIn(Ledger.class, MethodHandles.lookup())
                .findVarHandle(Ledger.class, "word", long.class)
                .setVolatile(ledger, (long) events << Integer.SIZE); // where it counts them
    }
}
