package io.loomverbs.blocking;

import io.loomverbs.CompletionQueue;

import org.jspecify.annotations.Nullable;

/**
 * Whether others poll a CQ. What they take is lost, and a request may wait for it. Found at an
 * audit: to refuse it, each poll would have to name its caller.
 */
final class Tally {
    private final CompletionQueue cq;

    /** Users have come after there were none: others could poll meanwhile. */
    private volatile boolean recounts;

    /** What leaders have taken, and others before there were requests. The leader's. */
    private long taken;

    Tally(CompletionQueue cq) {
        this.cq = cq;
        this.taken = cq.completions();
    }

    /** Ignores what was polled until the next look. */
    void recount() {
        recounts = true;
    }

    void took() {
        taken++;
    }

    /** Says that others have taken some since the last look; null if they have not. */
    @Nullable IllegalStateException lost() {
        long polled = cq.completions();
        long lost = recounts ? 0 : polled - taken;
        recounts = false;
        taken = polled;
        return lost <= 0
                ? null
                : new IllegalStateException(
                        cq
                                + " was polled by others than Requests, which have taken "
                                + (lost == 1 ? "a completion" : lost + " completions")
                                + " away: use another CQ for that");
    }
}
