package io.loomverbs.internal.event;

import java.util.concurrent.ThreadLocalRandom;

/** What came of a call of {@code take}, as a word. */
final class Taking {
    static final String EVENT = "event";
    static final String NONE = "none";
    static final String ENDED = "ended";
    static final String INTERRUPTED = "interrupted";

    /** A call that may wait. */
    interface Call {
        Object take() throws InterruptedException;
    }

    private Taking() {}

    static String of(Call call) {
        try {
            return call.take() == null ? NONE : EVENT;
        } catch (EventQueueEndedException e) {
            return ENDED;
        } catch (InterruptedException e) {
            return INTERRUPTED;
        }
    }

    /** Spreads a raise over the time in which a wait may end. */
    static void pauseUpTo(int nanos) {
        long end = System.nanoTime() + ThreadLocalRandom.current().nextInt(nanos);
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    /** How many events there still are. */
    static String left(Call tryTake) {
        int left = 0;
        while (of(tryTake).equals(EVENT)) {
            left++;
        }
        return left + " left";
    }
}
