package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.event.EventQueue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Two threads that await completions of one CQ, on a device whose timing the test decides. */
@Timeout(30)
class SharedAwaitTest {
    private final Context context = Verbs.device("soft0").open();
    private final CompletionQueue cq =
            new CompletionQueue(
                    context,
                    null,
                    null,
                    0,
                    Delivery.DIRECT,
                    WaitStrategy.EVENTS,
                    0,
                    EventQueue.ofOneCq(null));
    private final AtomicInteger completions = new AtomicInteger();
    private final AtomicInteger beforeNextArm = new AtomicInteger();
    private final AtomicInteger arms = new AtomicInteger();

    /** Completions come before an arm, so that they raise nothing, when a test says so. */
    private final CqOps ops =
            new CqOps() {
                @Override
                public int cqe() {
                    return 64;
                }

                @Override
                public int poll(MemorySegment wcs, long at, int max) {
                    int there = completions.getAndUpdate(n -> n - Math.min(n, max));
                    return Math.min(there, max);
                }

                @Override
                public int reqNotify(boolean solicitedOnly) {
                    completions.addAndGet(beforeNextArm.getAndSet(0));
                    arms.incrementAndGet();
                    return 0;
                }

                @Override
                public int destroy() {
                    return 0;
                }
            };

    /**
     * The first gets the event and needs more than it polls; by the time it arms anew there are
     * more completions than it has room for. The rest is the second one's, and raises no event.
     */
    @Test
    void whatTheOneHasNoRoomForWakesTheOther() throws Exception {
        cq.created(ops);
        CompletableFuture<Integer> first = await(2);
        CompletableFuture<Integer> second = await(1);

        beforeNextArm.set(10);
        completions.set(1);
        cq.listener().completionEvent();

        assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo(4);
        assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo(4);
        assertThat(completions).hasValue(3);
    }

    /** Starts a thread that awaits, and returns when it waits. */
    private CompletableFuture<Integer> await(int min) throws InterruptedException {
        CompletableFuture<Integer> result = new CompletableFuture<>();
        int before = arms.get();
        Thread thread =
                Thread.startVirtualThread(
                        () -> {
                            try {
                                WorkCompletions batch = WorkCompletions.allocate(4);
                                result.complete(cq.await(batch, min, Duration.ofSeconds(20)));
                            } catch (InterruptedException e) {
                                result.completeExceptionally(e);
                            }
                        });
        while (arms.get() == before || thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
        return result;
    }
}
