package io.loomverbs.tools.soak;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;

/** Two connected queue pairs; the first sends, the second completes receives on a CQ. */
final class SoakPair implements AutoCloseable {
    static final int DEPTH = 16;

    private static final int SIGNAL_EVERY = 4;
    private static final int BYTES = 64;

    final QueuePair a;
    final QueuePair b;
    private final MemoryRegion memory;
    private final CompletionQueue sends;
    private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
    private final WorkCompletions done = WorkCompletions.allocate(DEPTH);
    private long sent;

    SoakPair(ProtectionDomain pd, CompletionQueue receives) {
        memory = pd.allocateMr(2 * BYTES, Access.LOCAL_WRITE);
        sends = pd.context().createDirectCq(2 * DEPTH);
        a = pd.createQp(QpConfig.of(QpType.RC, sends).withWr(2 * DEPTH, 1));
        b = pd.createQp(QpConfig.of(QpType.RC, receives).withWr(1, 2 * DEPTH));
        a.connect(b.endpoint());
        b.connect(a.endpoint());
    }

    /** The CQ of the sender. */
    CompletionQueue sends() {
        return sends;
    }

    SendWorkRequest send() {
        return send.clear();
    }

    MemoryRegion memory() {
        return memory;
    }

    void postRecv(long wrId) {
        b.postRecv(recv.clear().wrId(wrId).sge(memory, BYTES, BYTES));
    }

    /** One message, which the receiving end completes with that number. */
    void message(long wrId) {
        postRecv(wrId);
        send.clear().wrId(++sent).send().sge(memory, 0, BYTES);
        if (sent % SIGNAL_EVERY == 0) {
            send.signaled();
        }
        a.postSend(send);
        sends.poll(done);
    }

    @Override
    public void close() {
        a.close();
        b.close();
        sends.close(Round.PATIENCE);
        memory.close();
    }
}
