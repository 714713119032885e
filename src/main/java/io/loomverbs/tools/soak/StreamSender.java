package io.loomverbs.tools.soak;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

/** Sends the messages of a stream, on a thread of its own that nothing interrupts. */
final class StreamSender {
    private final QueuePair qp;
    private final CompletionQueue cq;
    private final MemoryRegion memory;
    private final int count;
    private volatile @Nullable Throwable failure;

    StreamSender(QueuePair qp, CompletionQueue cq, MemoryRegion memory, int count) {
        this.qp = qp;
        this.cq = cq;
        this.memory = memory;
        this.count = count;
    }

    Thread start() {
        return Thread.ofVirtual()
                .name("soak-sender")
                .start(
                        () -> {
                            try {
                                send();
                            } catch (InterruptedException | RuntimeException | Error e) {
                                failure = e;
                            }
                        });
    }

    /** The failure that has ended it early, or null. */
    @Nullable Throwable failure() {
        return failure;
    }

    private void send() throws InterruptedException {
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
        WorkCompletions done = WorkCompletions.allocate(Stream.WINDOW);
        int sent = 0;
        int completed = 0;
        while (completed < count) {
            while (sent < count && sent - completed < Stream.WINDOW) {
                long at = (long) (sent % Stream.WINDOW) * Stream.SLOT;
                memory.memory().set(JAVA_LONG, at, Stream.content(sent));
                qp.postSend(wr.clear().wrId(sent).sge(memory, at, Stream.SLOT).signaled());
                sent++;
            }
            int n = cq.await(done, 1, Round.PATIENCE);
            Expect.that(n > 0, "%d of %d sends have completed", completed, count);
            for (int i = 0; i < n; i++) {
                Expect.that(
                        done.status(i) == WcStatus.SUCCESS && done.wrId(i) == completed,
                        "send %d was to complete, not %s",
                        completed,
                        done.get(i));
                completed++;
            }
        }
    }
}
