package io.loomverbs.internal.event;

import static io.loomverbs.internal.event.Collected.assertCollected;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Asynchronous events, without a device. */
@Timeout(60)
class AsyncQueueTest {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final AsyncQueue queue = new AsyncQueue();
    private final Ledger ledger = new Ledger();

    private AsyncQueue.Raised event(int type) {
        return new AsyncQueue.Raised(type, 0, this, ledger);
    }

    private static Closer refusing(Runnable meanwhile) {
        return new TestCloser(true) {
            @Override
            public boolean destroy() {
                meanwhile.run();
                return super.destroy();
            }
        };
    }

    /** Memory runs out after some looks at it. */
    private static final class Meagre {
        private int looks = Integer.MAX_VALUE;

        @Override
        public int hashCode() {
            if (looks-- == 0) {
                throw new OutOfMemoryError("planted");
            }
            return 1;
        }
    }

    /** Wherever memory runs out, the event that waits already stays, and can be dropped. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void anEventThatCannotBeKeptTakesNoOtherAlong(int looks) throws Exception {
        Meagre owner = new Meagre();
        AsyncQueue.Raised event = new AsyncQueue.Raised(1, 0, owner, ledger);
        queue.raise(event);
        owner.looks = looks;
        try {
            queue.raise(event);
        } catch (OutOfMemoryError e) {
            // Then it was not raised.
        }
        owner.looks = Integer.MAX_VALUE;
        AsyncQueue.Raised received = queue.take(0);
        assertThat(received).isNotNull();
        assertThat(received.count()).isBetween(1, 2);
        assertThat(queue.take(0)).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void anEventThatCannotBeKeptForItsOwnerIsNotKept(int looks) throws Exception {
        Meagre owner = new Meagre();
        owner.looks = looks;
        try {
            queue.raise(new AsyncQueue.Raised(1, 0, owner, null));
        } catch (OutOfMemoryError e) {
            // Then it was not raised.
        }
        owner.looks = Integer.MAX_VALUE;
        queue.drop(owner);
        assertThat(queue.take(0)).isNull();
    }

    /** Wherever memory runs out, an event is received and counted, or neither. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void anEventThatCannotBeReceivedIsNotCounted(int looks) throws Exception {
        Meagre owner = new Meagre();
        queue.raise(new AsyncQueue.Raised(1, 0, owner, ledger));
        owner.looks = looks;
        AsyncQueue.Raised received = null;
        try {
            received = queue.take(0);
        } catch (OutOfMemoryError e) {
            assertThat(ledger.outstandingAsync()).isZero();
        }
        owner.looks = Integer.MAX_VALUE;
        AsyncQueue.Raised later = queue.take(0);
        assertThat(later == null).isEqualTo(received != null);
        assertThat(ledger.outstandingAsync()).isOne();
        queue.drop(owner);
    }

    private static void awaitParked(Thread thread) {
        long start = System.nanoTime();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            LockSupport.parkNanos(20_000);
        }
    }

    /** A close holds back two events while two threads wait: when it fails, each gets one. */
    @Test
    void everyWaiterLooksAgainWhenACloseHasFailed() throws Exception {
        Collection<Object> received = new ConcurrentLinkedQueue<>();
        List<Thread> waiters = new ArrayList<>();
        CloseOutcome outcome =
                ledger.close(
                        0,
                        refusing(
                                () -> {
                                    queue.raise(event(1));
                                    queue.raise(event(2));
                                    for (int i = 0; i < 2; i++) {
                                        waiters.add(
                                                Thread.startVirtualThread(() -> take(received)));
                                    }
                                    waiters.forEach(AsyncQueueTest::awaitParked);
                                }));
        queue.recheck();

        for (Thread waiter : waiters) {
            assertThat(waiter.join(Duration.ofNanos(PATIENCE_NANOS))).isTrue();
        }
        assertThat(outcome).isEqualTo(CloseOutcome.REFUSED);
        assertThat(received).containsExactlyInAnyOrder(1, 2);
        assertThat(ledger.outstandingAsync()).isEqualTo(2);
    }

    private void take(Collection<Object> received) {
        try {
            AsyncQueue.Raised event = queue.take(Long.MAX_VALUE);
            received.add(event.type());
        } catch (InterruptedException e) {
            received.add(e);
        }
    }

    @Test
    void nothingIsReceivedAfterTheEnd() {
        queue.raise(event(1));
        queue.end();
        queue.raise(event(2));

        assertThatThrownBy(() -> queue.take(0)).isInstanceOf(EventQueueEndedException.class);
        assertThat(ledger.outstandingAsync()).isZero();
    }

    private static AsyncQueue.Raised ofPort(int type, int port) {
        return new AsyncQueue.Raised(type, port, null, null);
    }

    private List<String> takeAll() throws InterruptedException {
        List<String> all = new ArrayList<>();
        for (AsyncQueue.Raised e = queue.take(0); e != null; e = queue.take(0)) {
            all.add(e.type() + " of " + e.port() + " x" + e.count());
        }
        return all;
    }

    /** 40 flaps of a link whose events are not read: two events, the latest last. */
    @Test
    void eventsOfOneKindAreReceivedAsOne() throws Exception {
        queue.raise(event(3));
        for (int i = 0; i < 40; i++) {
            queue.raise(ofPort(10, 1));
            queue.raise(ofPort(9, 1));
        }
        queue.raise(ofPort(10, 1));
        queue.raise(ofPort(10, 2));

        assertThat(takeAll())
                .containsExactly("3 of 0 x1", "9 of 1 x40", "10 of 1 x41", "10 of 2 x1");
        assertThat(ledger.outstandingAsync()).isEqualTo(1);
    }

    /** Each event that is received counts once, however many it stands for. */
    @Test
    void acknowledgementsStayExact() throws Exception {
        queue.raise(event(1));
        queue.raise(event(1));
        assertThat(queue.take(0).count()).isEqualTo(2);
        queue.raise(event(1));
        assertThat(queue.take(0).count()).isEqualTo(1);

        assertThat(ledger.outstandingAsync()).isEqualTo(2);
        assertThat(ledger.tryAckAsync()).isNotZero();
        assertThat(ledger.tryAckAsync()).isNotZero();
        assertThat(ledger.tryAckAsync()).isZero();
    }

    @Test
    void whatWasReceivedIsForgotten() throws Exception {
        queue.raise(event(1));
        queue.raise(event(2));
        assertThat(queue.take(0).type()).isEqualTo(1);
        queue.raise(event(1));
        queue.drop(this);

        assertThat(queue.take(0)).isNull();

        WeakReference<Object> owner = new WeakReference<>(received());
        assertCollected(owner);
    }

    private Object received() throws InterruptedException {
        Object owner = new Object();
        queue.raise(new AsyncQueue.Raised(1, 0, owner, ledger));
        assertThat(queue.take(0).owner()).isSameAs(owner);
        return owner;
    }

    /** A close looks at its own events, not at those of all others. */
    @Test
    void aCloseIsNotSlowedByTheEventsOfOthers() throws Exception {
        int n = 20_000;
        List<Object> owners = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Object owner = new CountedOwner();
            owners.add(owner);
            queue.raise(new AsyncQueue.Raised(1, 0, owner, ledger));
        }
        CountedOwner.compared.set(0);

        owners.forEach(queue::drop);

        assertThat(CountedOwner.compared.get()).isLessThan(10 * n);
        assertThat(queue.take(0)).isNull();
    }

    /** Counts how often it is compared with another. */
    private static final class CountedOwner {
        private static final AtomicInteger compared = new AtomicInteger();

        @Override
        public boolean equals(Object other) {
            compared.incrementAndGet();
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }
}
