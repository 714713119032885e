package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.Future;

/**
 * Delays the event of an armed CQ until there were a number of completions, or until a period has
 * passed since the first of them, whichever comes first. Used under the lock of its CQ.
 */
final class Moderation {
    private final int count;
    private final long periodNanos;
    private final RetryTimer timer;
    private final Runnable expired;

    /** Completions since the CQ was armed that would have raised its event. */
    private int pending;

    private @Nullable Future<?> alarm;

    /**
     * @param count 0 for no such limit
     * @param periodNanos 0 for no such limit
     * @param expired is run when the time has passed; made before a completion needs it, for which
     *     there may be no memory
     */
    Moderation(int count, long periodNanos, RetryTimer timer, Runnable expired) {
        this.count = count;
        this.periodNanos = periodNanos;
        this.timer = timer;
        this.expired = expired;
    }

    /** One more completion that would raise the event: whether it is due now. */
    boolean isDueWithOneMore() {
        pending++;
        if (count != 0 && pending >= count) {
            reset();
            return true;
        }
        if (periodNanos != 0 && alarm == null) {
            try {
                alarm = timer.in(periodNanos, expired);
            } catch (RuntimeException
                    | Error e) { // no thread, or no memory: better too early than never
                reset();
                return true;
            }
        }
        return false;
    }

    /** Whether completions wait for the event, which is raised now. */
    boolean end() {
        boolean waiting = pending > 0;
        reset();
        return waiting;
    }

    private void reset() {
        pending = 0;
        if (alarm != null) {
            alarm.cancel(false);
            alarm = null;
        }
    }
}
