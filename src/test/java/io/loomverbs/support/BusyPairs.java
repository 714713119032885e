package io.loomverbs.support;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/**
 * Pairs of CQs on soft0 that send a message back and forth without a pause, each with a handler of
 * its own.
 */
public final class BusyPairs {
    private static final int BYTES = 64;
    private static final int DEPTH = 16;

    /** How handlers wait. */
    public enum Wait {
        SERVE,
        AWAIT,
        EVENT
    }

    /** Told of each message, by the handler that has received it. */
    @FunctionalInterface
    public interface Received {
        void by(int end);
    }

    private final Received received;
    private final List<End> ends = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean stopping;

    private final class End {
        private final int index;
        private final MemoryRegion memory;
        private final CompletionQueue cq;
        private final QueuePair qp;
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private int sent;

        End(Context context, ProtectionDomain pd, MemoryRegion memory, int index) {
            this.index = index;
            this.memory = memory;
            cq = context.createDirectCq(4 * DEPTH);
            qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2 * DEPTH, 2 * DEPTH));
        }

        void post() {
            qp.postRecv(recv.clear().sge(memory, 2L * index * BYTES, BYTES));
        }

        void send() {
            send.clear().send().sge(memory, (2L * index + 1) * BYTES, BYTES);
            if (++sent % DEPTH == 0) {
                send.signaled();
            }
            qp.postSend(send);
        }

        void handle(WorkCompletions batch) {
            for (int i = 0; i < batch.size(); i++) {
                if (batch.status(i) != WcStatus.SUCCESS) {
                    throw new IllegalStateException(batch.get(i).toString());
                }
                if (batch.opcode(i) == WcOpcode.RECV) {
                    received.by(index);
                    post();
                    if (!stopping) {
                        send();
                    }
                }
            }
        }

        void start(Wait wait) {
            if (wait == Wait.SERVE) {
                cq.serve(this::handle);
            } else {
                Thread.ofVirtual().start(() -> receive(wait));
            }
        }

        private void receive(Wait wait) {
            WorkCompletions batch = WorkCompletions.allocate(DEPTH);
            try {
                for (; ; ) {
                    if (wait == Wait.AWAIT) {
                        cq.await(batch);
                        handle(batch);
                    } else {
                        cq.reqNotify(false);
                        while (cq.poll(batch) > 0) {
                            handle(batch);
                        }
                        cq.getCqEvent().close();
                    }
                }
            } catch (ClosedException e) {
                // The end.
            } catch (InterruptedException | RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            }
        }
    }

    /** Pairs that wait until {@link #start}. Their objects live as long as the JVM. */
    public BusyPairs(Context context, int pairs, Wait wait, Received received) {
        this.received = received;
        ProtectionDomain pd = context.allocPd();
        MemoryRegion memory = pd.allocateMr(4L * pairs * BYTES, Access.LOCAL_WRITE);
        IntStream.range(0, 2 * pairs).forEach(i -> ends.add(new End(context, pd, memory, i)));
        for (int i = 0; i < 2 * pairs; i += 2) {
            End a = ends.get(i);
            End b = ends.get(i + 1);
            a.qp.connect(b.qp.endpoint());
            b.qp.connect(a.qp.endpoint());
            a.post();
            b.post();
        }
        ends.forEach(end -> end.start(wait));
    }

    /** Sends the first messages. */
    public void start() {
        for (int i = 0; i < ends.size(); i += 2) {
            ends.get(i).send();
        }
    }

    /** Sends no more. */
    public void stop() {
        stopping = true;
    }

    /** What a handler ended with, or null. */
    public Throwable failure() {
        return failure.get();
    }
}
