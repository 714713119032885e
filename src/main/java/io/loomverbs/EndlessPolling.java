package io.loomverbs;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.StopSignal;

import org.jspecify.annotations.Nullable;

/** Waits by polling alone. */
final class EndlessPolling {
    /** Polls between two looks at the rest; with a pause after each, some 2 microseconds. */
    private static final int SPINS = 40;

    /** Looks between two at the device's asynchronous events, which cost a system call. */
    private static final int LOOKS = 64;

    private EndlessPolling() {}

    /**
     * Polls until the batch holds {@code min} completions, the time is over, or the stop signal is
     * given.
     *
     * @param start when the wait began; not used without a limit
     * @return how many it holds
     */
    @SuppressWarnings("ThreadPriorityCheck") // lets others run, not a hint
    static int poll(
            CompletionQueue cq,
            WorkCompletions batch,
            int min,
            long start,
            long nanos,
            @Nullable StopSignal stop)
            throws InterruptedException {
        EventQueue queue = cq.ledger().queue();
        boolean virtual = Thread.currentThread().isVirtual();
        for (int looks = 1; ; looks++) {
            for (int i = 0; i < SPINS; i++) {
                int n = cq.pollMore(batch);
                if (n >= min) {
                    return n;
                }
                Thread.onSpinWait();
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (stop != null && stop.isGiven()) {
                return cq.pollMore(batch); // what had arrived before
            }
            long left = nanos;
            if (nanos != Long.MAX_VALUE) {
                left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return batch.size();
                }
            }
            if (looks % LOOKS == 0) {
                // A device may report the failure of a CQ only to a thread that asks.
                cq.context().asyncEvents().fetch();
                queue.throwIfEnded();
            }
            if (virtual) {
                Fairness.before(queue, left);
                Thread.yield();
            }
        }
    }
}
