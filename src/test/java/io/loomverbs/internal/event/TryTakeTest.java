package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * A try for an event ends however many events of others come; an end of a queue needs no memory.
 */
@Timeout(60)
class TryTakeTest {
    /** Where it went on as long as others came, it fetches all of these. */
    private static final int ENDLESS = 1_000_000;

    private static final int BOUND = 10_000;

    private final InMemorySource source =
            new InMemorySource(new FixedCarriers(Carriers.Loan.REFUSED));

    /** For each that is fetched another one comes. */
    private final class Endless implements Runnable {
        private int fetched;

        @Override
        public void run() {
            if (++fetched < ENDLESS) {
                source.add(this);
            }
        }
    }

    @Test
    void ofACqThatSharesItsChannel() {
        Endless others = new Endless();
        source.add(others);
        EventQueue queue = EventQueue.ofOneCq(source);
        QueuedCq cq = new NamedCq(queue, "cq");
        assertThat(queue.tryTake()).isNull();
        assertThat(others.fetched).isLessThan(BOUND);
        cq.raise();
        assertThat(queue.tryTake()).isSameAs(cq);
    }

    @Test
    void ofAsynchronousEvents() throws Exception {
        Endless others = new Endless();
        source.add(others);
        AsyncQueue queue = new AsyncQueue();
        queue.fetchedFrom(source);
        assertThat(queue.take(0)).isNull();
        assertThat(others.fetched).isLessThan(BOUND);
    }

    /** The device has closed it by then: a close must not fail any more. */
    @Test
    void theEndOfAQueueAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 50 && least > 0; round++) {
            List<LedQueue> queues = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                queues.add(EventQueue.shared(source));
                AsyncQueue async = new AsyncQueue();
                async.raise(new AsyncQueue.Raised(1, 1, "owner", null));
                queues.add(async);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < queues.size(); i++) {
                LedQueue queue = queues.get(i);
                if (queue instanceof AsyncQueue async) {
                    async.drop("owner");
                }
                queue.end(null);
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).as("bytes for a thousand ends").isLessThan(1_000);
    }
}
