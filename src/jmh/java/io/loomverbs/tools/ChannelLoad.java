package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What {@code figures.c} does with one thread, with a handler for each CQ: CQs on one channel,
 * connected in pairs, a message going back and forth in each pair.
 */
final class ChannelLoad {
    private static final int BYTES = 64;
    private static final int DEPTH = 16;

    private final boolean direct;
    private final List<End> ends = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean stopping;

    /**
     * @param direct whether each handler waits for its own CQ, or for the channel
     */
    ChannelLoad(boolean direct) {
        this.direct = direct;
    }

    private final class End {
        private final MemoryRegion memory;
        private final long at;
        private final CompletionQueue cq;
        private final QueuePair qp;
        private final WorkCompletions batch = WorkCompletions.allocate(4);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private final ReentrantLock lock = new ReentrantLock();
        private volatile long events;
        private volatile long messages;

        End(ProtectionDomain pd, CompletionChannel channel, MemoryRegion memory, int index) {
            this.memory = memory;
            at = index * 2L * BYTES;
            cq =
                    direct
                            ? pd.context().createDirectCq(2 * DEPTH, this, channel, 0)
                            : pd.context().createCq(2 * DEPTH, this, channel, 0);
            qp = pd.createQp(QpConfig.of(QpType.RC, cq));
        }

        void connect(End to) {
            qp.connect(to.qp.endpoint());
            receive();
            cq.reqNotify(false);
        }

        void receive() {
            qp.postRecv(recv.clear().sge(memory, at, BYTES));
        }

        void post() {
            qp.postSend(send.clear().send().sge(memory, at + BYTES, BYTES).signaled());
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock, read anywhere
        void serve() {
            lock.lock();
            try {
                cq.reqNotify(false);
                while (cq.poll(batch) > 0) {
                    for (int i = 0; i < batch.size(); i++) {
                        if (!batch.isSuccess(i)) {
                            throw new IllegalStateException(batch.toString());
                        }
                        if (batch.opcode(i) == WcOpcode.RECV && !stopping) {
                            messages++;
                            receive();
                            post();
                        }
                    }
                }
                events++;
            } finally {
                lock.unlock();
            }
        }

        void handle(CompletionChannel channel) {
            try {
                while (!stopping) {
                    try (CqEvent event = direct ? cq.getCqEvent() : channel.getCqEvent()) {
                        ((End) event.cqContext()).serve();
                    }
                }
            } catch (InterruptedException | ClosedException e) {
                // The end.
            } catch (RuntimeException e) {
                failure.compareAndSet(null, e);
            }
        }
    }

    /** Answers events and messages a second. */
    double[] run(String device, int cqs, double seconds) throws InterruptedException {
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(cqs * 2L * BYTES, Access.LOCAL_WRITE);
                CompletionChannel channel = context.createCompChannel()) {
            List<Thread> handlers = new ArrayList<>();
            for (int i = 0; i < cqs; i++) {
                End end = new End(pd, channel, memory, i);
                ends.add(end);
                handlers.add(Thread.ofVirtual().unstarted(() -> end.handle(channel)));
            }
            for (int i = 0; i < cqs; i++) {
                ends.get(i).connect(ends.get(i ^ 1));
            }
            handlers.forEach(Thread::start);
            for (int i = 0; i < cqs; i += 2) {
                ends.get(i).post();
            }
            Thread.sleep(Duration.ofSeconds(1));
            long events = events();
            long messages = messages();
            long start = System.nanoTime();
            Thread.sleep(Duration.ofNanos((long) (seconds * 1e9)));
            double took = (System.nanoTime() - start) / 1e9;
            double[] perSecond = {(events() - events) / took, (messages() - messages) / took};
            stopping = true;
            for (Thread handler : handlers) {
                handler.interrupt();
            }
            for (Thread handler : handlers) {
                handler.join();
            }
            ends.forEach(end -> end.qp.close());
            ends.forEach(end -> end.cq.close(Duration.ofSeconds(10)));
            if (failure.get() != null) {
                throw new IllegalStateException(failure.get());
            }
            return perSecond;
        }
    }

    private long events() {
        return ends.stream().mapToLong(end -> end.events).sum();
    }

    private long messages() {
        return ends.stream().mapToLong(end -> end.messages).sum();
    }
}
