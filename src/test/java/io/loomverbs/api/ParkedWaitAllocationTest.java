package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.management.ManagementFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A wait that parks allocates no more than its event. The waiter is a platform thread, whose park
 * allocates nothing, and messages are sent only once it has parked.
 */
@Timeout(120)
class ParkedWaitAllocationTest {
    private static final int ROUND = 200;
    private static final int MAX_ROUNDS = 100;

    /** Less than one object in a hundred waits. */
    private static final double NOTHING = 0.2;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Fixture f = new Fixture();
    private final CompletionQueue sends = f.polled();
    private final WorkCompletions sent = WorkCompletions.allocate(4);
    private final WorkCompletions batch = WorkCompletions.allocate(4);
    private final SendWorkRequest send = SendWorkRequest.allocate(1, 0).signaled();
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private interface Wait {
        void run() throws Exception;
    }

    /** How many waits of this round have begun. */
    private volatile int begun;

    /** The least of some rounds, since the JVM compiles meanwhile. */
    private double bytesOf(Fixture.Pair pair, Wait wait, double enough) throws Exception {
        Thread waiter = Thread.currentThread();
        double least = Double.MAX_VALUE;
        ExecutorService sender = Executors.newSingleThreadExecutor();
        try {
            for (int round = 0; round < MAX_ROUNDS && least > enough; round++) {
                begun = 0;
                Future<?> sending = sender.submit(() -> sendWhenParked(pair, waiter));
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int i = 1; i <= ROUND; i++) {
                    begun = i;
                    wait.run();
                }
                long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
                sending.get();
                least = Math.min(least, (double) bytes / ROUND);
            }
        } finally {
            sender.shutdownNow(); // which ends it if the waiter has failed
        }
        return least;
    }

    @SuppressWarnings("ThreadPriorityCheck") // the waiter may need this CPU
    private void sendWhenParked(Fixture.Pair pair, Thread waiter) {
        for (int i = 1; i <= ROUND; i++) {
            while (begun < i || waiter.getState() != Thread.State.WAITING) {
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
                Thread.yield();
            }
            pair.b.postRecv(recv);
            pair.a.postSend(send);
            while (sends.poll(sent) == 0) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void awaitAllocatesNothing() throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(16, WaitStrategy.EVENTS));
        assertThat(bytesOf(f.pair(sends, cq), () -> cq.await(batch), NOTHING))
                .isLessThanOrEqualTo(NOTHING);
    }

    @Test
    void aChannelsGetCqAllocatesNothing() throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue cq = f.on(channel);
        Wait wait =
                () -> {
                    cq.poll(batch);
                    cq.reqNotify(false);
                    channel.getCq().ackEvents(1);
                };
        assertThat(bytesOf(f.pair(sends, cq), wait, NOTHING)).isLessThanOrEqualTo(NOTHING);
    }

    @Test
    void getCqEventAllocatesTheEvent() throws Exception {
        CompletionQueue cq = f.direct();
        CqEvent[] sink = new CqEvent[1];
        Wait wait =
                () -> {
                    cq.poll(batch);
                    cq.reqNotify(false);
                    sink[0] = cq.getCqEvent();
                    sink[0].close();
                };
        double event = 32;
        assertThat(bytesOf(f.pair(sends, cq), wait, event + NOTHING))
                .isBetween(event, event + NOTHING);
    }
}
