package io.loomverbs;

import static java.lang.System.Logger.Level.WARNING;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Setting;
import io.loomverbs.internal.event.Closer;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;

/** One attempt to close a CQ: destroys it, and says what it waits for. */
final class CqCloser implements Closer {
    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");
    private static final long WARN_AFTER_NANOS = Setting.CLOSE_WARNING_MILLIS.number() * 1_000_000L;

    private final CompletionQueue cq;
    private final boolean untimed;
    private long nextWarning = WARN_AFTER_NANOS;
    private @Nullable VerbsException refusal;

    /**
     * @param untimed whether nothing but this class can end a wait of the thread for itself
     */
    CqCloser(CompletionQueue cq, boolean untimed) {
        this.cq = cq;
        this.untimed = untimed;
    }

    @Override
    public boolean destroy() {
        refusal = cq.destroy();
        return refusal == null;
    }

    @Override
    public boolean keepWaiting(long waitedNanos) {
        if (waitedNanos >= nextWarning) {
            nextWarning = waitedNanos * 2;
            LOGGER.log(
                    WARNING,
                    "the close of {0} has waited for {1} s: {2}",
                    cq,
                    waitedNanos / 1_000_000_000,
                    describeOutstanding());
        }
        return !untimed || !isHeldHere();
    }

    VerbsException refusal() {
        if (refusal == null) {
            throw new AssertionError("nothing was refused");
        }
        return refusal;
    }

    VerbsException timedOut(long nanos) {
        return new VerbsException(
                CompletionQueue.DESTROY,
                Errno.ETIMEDOUT,
                "after " + Wording.seconds(Duration.ofNanos(nanos)) + " " + describeOutstanding());
    }

    VerbsException wouldWaitForItself() {
        return new VerbsException(
                CompletionQueue.DESTROY,
                Errno.EDEADLK,
                describeOutstanding()
                        + "; this thread would wait for itself: acknowledge first, or close with a"
                        + " timeout");
    }

    private String describeOutstanding() {
        int outstanding = cq.ledger().outstanding();
        int async = cq.ledger().outstandingAsync();
        StringBuilder text = new StringBuilder();
        text.append(cq).append(" has ").append(Wording.count(outstanding, "unacknowledged event"));
        if (async > 0) {
            text.append(" and ").append(Wording.count(async, "unacknowledged asynchronous event"));
        }
        Set<Thread> holders = cq.ledger().holders();
        if (EventTracking.ENABLED) {
            text.append(", ").append(cq.tracking().report());
        } else if (!holders.isEmpty()) {
            text.append(
                    holders.stream()
                            .map(EventTracking::nameOf)
                            .distinct()
                            .collect(Collectors.joining(", ", ", taken by ", "")));
        }
        return text.toString();
    }

    private boolean isHeldHere() {
        return cq.ledger().isHeldBy(Thread.currentThread())
                || cq.context().asyncEvents().isHeldHere(cq);
    }
}
