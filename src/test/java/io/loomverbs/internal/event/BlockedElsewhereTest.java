package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * A leader in the kernel while other virtual threads block in calls for which the JDK makes up, by
 * more carriers, as long as fewer run than it wants: it takes the leader for one that runs. On two
 * processors and carriers that is what the others miss; where there are more, they find one anyway.
 */
@Timeout(60)
class BlockedElsewhereTest {
    private final List<Process> silent = new ArrayList<>();
    private final HoldsCarrier source = new HoldsCarrier();
    private final EventQueue queue = EventQueue.shared(source);
    private final QueuedCq cq = new NamedCq(queue, "cq");

    /** Blocks the carrier, as a wait in the kernel does. */
    private static final class HoldsCarrier implements EventSource, EventFeed {
        private final Leadership leadership =
                new Leadership(this, new SchedulerCarriers(), "test-poller");
        private final CountDownLatch blocked = new CountDownLatch(1);
        private volatile Runnable event;
        private volatile boolean woken;

        @Override
        public int await(long nanos, Leader leader) {
            long start = System.nanoTime();
            while (event == null && !woken && System.nanoTime() - start < nanos) {
                if (nanos > 0) {
                    blocked.countDown();
                }
                Thread.onSpinWait();
            }
            woken = false;
            return fetch() ? 1 : 0;
        }

        @Override
        public void wake() {
            woken = true;
        }

        @Override
        public boolean fetch() {
            Runnable raise = event;
            event = null;
            if (raise != null) {
                raise.run();
            }
            return raise != null;
        }

        @Override
        public Leadership leadership() {
            return leadership;
        }

        @Override
        public void attach(LedQueue queue) {}

        @Override
        public void detach(LedQueue queue) {}

        @Override
        public void join() {}

        @Override
        public void leave() {}
    }

    @AfterEach
    void endThem() {
        silent.forEach(Process::destroy);
        source.leadership.end();
    }

    private void readFromOneThatSaysNothing() throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sleep", "60").start();
        silent.add(process);
        CountDownLatch reads = new CountDownLatch(1);
        Thread.startVirtualThread(
                () -> {
                    reads.countDown();
                    try {
                        int _ = process.getInputStream().read();
                    } catch (IOException e) {
                        // It was ended.
                    }
                });
        assertThat(reads.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void othersRunNevertheless() throws Exception {
        FutureTask<QueuedCq> leader = new FutureTask<>(() -> queue.take(Long.MAX_VALUE));
        Thread.startVirtualThread(leader);
        assertThat(source.blocked.await(20, TimeUnit.SECONDS)).isTrue();
        int carriers = Scheduler.find().parallelism();
        for (int i = 0; i < carriers - 1; i++) {
            readFromOneThatSaysNothing();
        }
        CountDownLatch ran = new CountDownLatch(1);
        Thread.startVirtualThread(ran::countDown);
        try {
            assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
        } finally {
            source.event = cq::raise;
        }
        assertThat(leader.get(20, TimeUnit.SECONDS)).isSameAs(cq);
    }
}
