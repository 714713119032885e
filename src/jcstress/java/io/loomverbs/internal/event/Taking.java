package io.loomverbs.internal.event;

import java.util.concurrent.ThreadLocalRandom;

/** What came of a call of {@code take}, as a word. */
public final class Taking {
    public static final String EVENT = "event";

    /** A call that may wait. */
    public interface Call {
        Object take() throws InterruptedException;
    }

    private Taking() {}

    public static String of(Call call) {
        try {
            return call.take() == null ? "none" : EVENT;
        } catch (EventQueueEndedException e) {
            return "ended";
        } catch (InterruptedException e) {
            return "interrupted";
        } catch (RuntimeException e) {
            return e.toString();
        }
    }

    /** Spreads a raise over the time in which a wait may end. */
    public static void pauseUpTo(int nanos) {
        long end = System.nanoTime() + ThreadLocalRandom.current().nextInt(nanos);
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    /** How many events there still are. */
    public static String left(Call tryTake) {
        int left = 0;
        while (of(tryTake).equals(EVENT)) {
            left++;
        }
        return left + " left";
    }
}
