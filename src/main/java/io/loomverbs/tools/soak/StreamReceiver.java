package io.loomverbs.tools.soak;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.MemoryRegion;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

/** Checks that the messages of a stream come in order, and makes room for more. One thread. */
final class StreamReceiver {
    private final MemoryRegion memory;
    private final QueuePair qp;
    private final int count;
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

    /** Read by the thread that looks after the stream. */
    private volatile int next;

    StreamReceiver(MemoryRegion memory, QueuePair qp, int count) {
        this.memory = memory;
        this.qp = qp;
        this.count = count;
    }

    void open() {
        for (int i = 0; i < Math.min(Stream.WINDOW, count); i++) {
            postRecv(i);
        }
    }

    boolean isComplete() {
        return next == count;
    }

    int received() {
        return next;
    }

    void take(WorkCompletions batch) {
        for (int i = 0; i < batch.size(); i++) {
            int expected = next;
            Expect.that(
                    batch.status(i) == WcStatus.SUCCESS && batch.wrId(i) == expected,
                    "message %d was to come, not %s",
                    expected,
                    batch.get(i));
            long at = place(expected);
            Expect.that(
                    memory.memory().get(JAVA_LONG, at) == Stream.content(expected),
                    "message %d is not as it was sent",
                    expected);
            if (expected + Stream.WINDOW < count) {
                postRecv(expected + Stream.WINDOW);
            }
            next = expected + 1;
        }
    }

    private void postRecv(int i) {
        qp.postRecv(recv.clear().wrId(i).sge(memory, place(i), Stream.SLOT));
    }

    /** Behind those of the sender. */
    private static long place(int i) {
        return (Stream.WINDOW + (long) (i % Stream.WINDOW)) * Stream.SLOT;
    }
}
