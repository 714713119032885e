package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.Future;

/**
 * The wait of the oldest send request: for a receive buffer of the peer, or for any answer at all.
 * Used under the lock of its {@link SendQueue}.
 */
final class Stall {
    private static final int RNR_RETRY_FOR_EVER = 7;

    private final RetryTimer timer;
    private final Runnable wake;

    /** Whether it waits for a receive buffer, rather than for an answer. */
    private boolean rnr;

    /** Whether it waits at all; false until the first {@link #waitFor}. */
    private boolean waiting;

    int retriesLeft;
    private int rnrRetriesLeft;

    /** Whether the wait has a deadline. */
    private boolean limited;

    private long deadlineNanos;

    /** Null if none is needed, or none could be set. */
    private @Nullable Future<?> alarm;

    Stall(RetryTimer timer, Runnable wake, int retries, int rnrRetries) {
        this.timer = timer;
        this.wake = wake;
        this.retriesLeft = retries;
        this.rnrRetriesLeft = rnrRetries;
    }

    /** Waits for an outcome that is not final, or turns it into a status if retries are used up. */
    int waitOrGiveUp(int outcome, boolean expired, QpAttr attr) {
        boolean forBuffer = outcome != Transport.NO_ANSWER;
        boolean waitsOn = waiting && rnr == forBuffer && !expired;
        if (waitsOn) {
            ensureAlarm();
            return outcome;
        }
        if (forBuffer) {
            if (attr.rnrRetry != RNR_RETRY_FOR_EVER && rnrRetriesLeft-- == 0) {
                return Ibv.WC_RNR_RETRY_EXC_ERR;
            }
            waitFor(true, Timeouts.rnrNanos(Transport.RNR_NAK - outcome));
        } else {
            if (waiting && !rnr && retriesLeft-- == 0) {
                return Ibv.WC_RETRY_EXC_ERR;
            }
            waitFor(false, Timeouts.responseNanos(attr.timeout));
        }
        return outcome;
    }

    /** Waits anew; indefinitely if {@code nanos} is 0. */
    private void waitFor(boolean rnr, long nanos) {
        end();
        this.rnr = rnr;
        waiting = true;
        if (nanos > 0) {
            limited = true;
            deadlineNanos = System.nanoTime() + nanos;
            ensureAlarm();
        }
    }

    /**
     * Sets the alarm, unless it is set. If no thread can be started for it, this must be called
     * again: a temporary lack of threads must not fail a queue pair.
     */
    void ensureAlarm() {
        if (limited && alarm == null) {
            try {
                alarm = timer.in(deadlineNanos - System.nanoTime(), wake);
            } catch (RuntimeException | Error noThread) {
                // The next look at the queue tries again.
            }
        }
    }

    /** Whether it waits for an answer, and nothing will be sent again: the timeout is 0. */
    boolean isLost() {
        return waiting && !rnr && !limited;
    }

    boolean expired() {
        return limited && System.nanoTime() - deadlineNanos >= 0;
    }

    /** Calls off the alarm. */
    void end() {
        limited = false;
        if (alarm != null) {
            alarm.cancel(false);
            alarm = null;
        }
    }
}
