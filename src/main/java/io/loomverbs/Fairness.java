package io.loomverbs;

import io.loomverbs.internal.device.Setting;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Turns;

import org.jspecify.annotations.Nullable;

/** The turns of all virtual threads that wait for events. */
final class Fairness {
    /** Null if they take none. Not final: a test has turns of its own. */
    private static @Nullable Turns turns = Setting.FAIR.isTrue() ? new Turns() : null;

    private Fairness() {}

    /**
     * Lets others come first, if need be. To be called by a thread that is about to wait and holds
     * no place in any queue.
     *
     * @param nanos for how long it may wait at most, from now on
     * @return how long is left of that
     */
    static long before(EventQueue queue, long nanos) {
        Turns all = turns;
        return all == null ? nanos : all.before(queue, nanos);
    }
}
