package io.loomverbs;

import static java.lang.System.Logger.Level.WARNING;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Setting;
import io.loomverbs.internal.event.CloseOutcome;
import io.loomverbs.internal.event.Closer;
import io.loomverbs.internal.jfr.RecordedClose;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;

/** One attempt to close a CQ: destroys it, and says what it waits for. */
final class CqCloser implements Closer {
    private static final String VERB = "ibv_destroy_cq";
    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");
    private static final long WARN_AFTER_NANOS = Setting.CLOSE_WARNING_MILLIS.number() * 1_000_000L;

    private final CompletionQueue cq;
    private final boolean untimed;
    private long nextWarning = WARN_AFTER_NANOS;
    private @Nullable VerbsException refusal;
    private boolean toldOfItself;

    /**
     * @param untimed whether nothing but this class can end a wait of the thread for itself
     */
    private CqCloser(CompletionQueue cq, boolean untimed) {
        this.cq = cq;
        this.untimed = untimed;
    }

    /** Closes a CQ, or throws why it was not closed. */
    static void close(CompletionQueue cq, long nanos) {
        CqDelivery ledger = cq.ledger();
        if (ledger.isClosed()) {
            endWaits(cq); // the thread that has closed it may not have come to that yet
            return;
        }
        CqCloser closer = new CqCloser(cq, nanos == Long.MAX_VALUE);
        if (cq.usage().users() > 0) {
            throw closer.busy();
        }
        CloseOutcome outcome = CloseOutcome.REFUSED;
        int outstanding = ledger.outstanding();
        RecordedClose wait = outstanding == 0 ? null : Recorder.beginClose();
        try {
            outcome = ledger.close(nanos, closer);
        } finally { // also if the device throws
            if (wait != null) {
                wait.ended(cq, outstanding, ledger.isClosed());
            }
            if (ledger.isClosed()) {
                endWaits(cq);
            } else {
                cq.context().asyncEvents().recheck();
            }
        }
        switch (outcome) {
            case CLOSED -> {}
            case REFUSED -> throw closer.refusal();
            case TIMED_OUT -> throw closer.timedOut(nanos);
            case GAVE_UP -> throw closer.wouldWaitForItself();
        }
    }

    /** Ends all waits for the closed CQ, present and future. Repeating it is harmless. */
    private static void endWaits(CompletionQueue cq) {
        if (cq.delivery() != Delivery.CHANNEL) {
            cq.ledger().queue().end(null);
        }
    }

    /** Destroys the device's CQ and releases what it used. Called by the one closer. */
    @Override
    public boolean destroy() {
        Lifecycle usage = cq.usage();
        int rc = usage.close(cq.ops()::destroy, this::destroyed);
        if (rc == Lifecycle.IN_USE) {
            refusal = busy();
        } else if (rc != 0) {
            refusal = VerbsException.refused(VERB, rc, cq + " was not destroyed");
        } else {
            refusal = null;
        }
        return refusal == null;
    }

    private void destroyed() {
        cq.context().vectors().destroyed(cq.compVector());
        cq.context().asyncEvents().drop(cq);
    }

    private VerbsException busy() {
        return BusyMessage.refusal(VERB, cq, cq.usage());
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
        boolean byItself = (untimed || LeakDetection.ENABLED) && isHeldHere();
        if (byItself && LeakDetection.ENABLED && !toldOfItself) {
            toldOfItself = true;
            LeakDetection.report(
                    "thread "
                            + Place.nameOf(Thread.currentThread())
                            + " closes "
                            + cq
                            + " while it holds an event of it, and may wait for itself; "
                            + describeOutstanding()
                            + "; closed at "
                            + Place.here().where());
        }
        return !untimed || !byItself;
    }

    private VerbsException refusal() {
        if (refusal == null) {
            throw new AssertionError("nothing was refused");
        }
        return refusal;
    }

    private VerbsException timedOut(long nanos) {
        return new VerbsException(
                VERB,
                Errno.ETIMEDOUT,
                "after " + Wording.seconds(Duration.ofNanos(nanos)) + " " + describeOutstanding());
    }

    private VerbsException wouldWaitForItself() {
        return new VerbsException(
                VERB,
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
                            .map(Place::nameOf)
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
