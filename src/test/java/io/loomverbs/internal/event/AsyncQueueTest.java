package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
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
        return new Closer() {
            @Override
            public boolean destroy() {
                meanwhile.run();
                return false;
            }

            @Override
            public boolean keepWaiting(long waitedNanos) {
                return true;
            }
        };
    }

    private static void awaitParked(Thread thread) {
        long start = System.nanoTime();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            LockSupport.parkNanos(20_000);
        }
    }

    /** Two events, held back by a close, and two who wait: when the close fails, both get one. */
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
}
