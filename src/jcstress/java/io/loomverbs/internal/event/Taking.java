package io.loomverbs.internal.event;

import io.loomverbs.ClosedException;

import java.util.concurrent.ThreadLocalRandom;

/** What came of a call that may wait, as a word. */
public final class Taking {
    public static final String EVENT = "event";

    /** A call that may wait. */
    public interface Call {
        Object take() throws InterruptedException;
    }

    private Taking() {}

    /** "none" for null, the string that was returned, or {@link #EVENT} for another object. */
    public static String of(Call call) {
        try {
            Object taken = call.take();
            return taken == null ? "none" : taken instanceof String word ? word : EVENT;
        } catch (EventQueueEndedException e) {
            return "ended";
        } catch (ClosedException e) {
            return "closed";
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
