package io.loomverbs;

import io.loomverbs.internal.event.StopSignal;

import org.jspecify.annotations.Nullable;

/** When to poll for completions of one CQ before parking, and for how long. */
final class AdaptivePolling {
    /*
     * A wait that finds no completions first acts by `mode`:
     *
     *   PARK    does not poll
     *   SPIN    polls SPINS times before it lets other virtual threads have the carrier, and again
     *   YIELD   lets others have the carrier first, then polls once, and again
     *
     * SPIN is for a peer on another carrier, which answers meanwhile. YIELD is for a peer that
     * waits for the caller's own carrier: polling would only delay it. Which of the two applies is
     * seen from when completions are found.
     *
     * In PARK, one wait of `interval` is timed. If its event came within SOON_NANOS, the next waits
     * poll. If they poll in vain, the mode is PARK again and the interval becomes longer, so that a
     * CQ that is rarely quick costs little. Only these waits look at the clock.
     *
     * All of it is a hint. Threads that share the CQ write these fields without synchronization;
     * a lost write costs some polls.
     */
    private static final int PARK = 0;
    private static final int SPIN = 1;
    private static final int YIELD = 2;

    /** Polls with a pause after each: some 2 microseconds. */
    private static final int SPINS = 40;

    private static final int ROUNDS = 8;
    private static final int YIELDS = 4;

    /** After this many waits in YIELD, one tries to spin. */
    private static final int YIELDS_BEFORE_SPIN = 64;

    private static final int SHORTEST = 8;
    private static final int LONGEST = 1024;
    private static final long SOON_NANOS = 20_000;

    private byte mode;
    private short untilTried;
    private short interval = SHORTEST;

    /**
     * Polls for a while, if that may help. This prolongs a wait by a few microseconds at most, and
     * by one slice of each other thread of the carrier.
     *
     * @param start when the wait began; unused if it has no limit
     * @param nanos its limit; {@code Long.MAX_VALUE} for none
     * @param stop ends it when it is given; null if nothing does
     * @return whether the batch holds {@code min} completions
     */
    boolean poll(
            CompletionQueue cq,
            WorkCompletions batch,
            int min,
            long start,
            long nanos,
            @Nullable StopSignal stop) {
        int how = mode;
        if (how == PARK) {
            return false;
        }
        boolean found =
                Thread.currentThread().isVirtual()
                        ? pollAndYield(how, cq, batch, min, start, nanos, stop)
                        : spin(ROUNDS * SPINS, cq, batch, min);
        if (found) {
            interval = (short) Math.max(SHORTEST, interval - interval / 16);
        } else {
            mode = PARK;
            lengthen();
        }
        return found;
    }

    @SuppressWarnings("ThreadPriorityCheck") // lets others run, not a hint
    private boolean pollAndYield(
            int how,
            CompletionQueue cq,
            WorkCompletions batch,
            int min,
            long start,
            long nanos,
            @Nullable StopSignal stop) {
        boolean spins = how == SPIN || --untilTried < 0;
        int rounds = spins ? ROUNDS : YIELDS;
        for (int n = 0; n < rounds; n++) {
            if (spins && spin(SPINS, cq, batch, min)) {
                mode = SPIN;
                return true;
            }
            if (Thread.currentThread().isInterrupted()) {
                return false;
            }
            Thread.yield();
            if (cq.pollMore(batch) >= min) {
                if (spins) {
                    mode = YIELD;
                    untilTried = YIELDS_BEFORE_SPIN;
                }
                return true;
            }
            // Others may have run for long.
            if ((stop != null && stop.isGiven())
                    || (nanos != Long.MAX_VALUE && System.nanoTime() - start >= nanos)) {
                return false;
            }
        }
        return false;
    }

    private static boolean spin(int times, CompletionQueue cq, WorkCompletions batch, int min) {
        for (int n = 0; n < times; n++) {
            if (cq.pollMore(batch) >= min) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /** Whether the caller, which is about to park, should time its wait for {@link #waited}. */
    boolean isToTime() {
        return --untilTried < 0;
    }

    /** An event came after this time. */
    void waited(long nanos) {
        if (nanos <= SOON_NANOS) {
            mode = SPIN;
        } else {
            lengthen();
        }
    }

    private void lengthen() {
        int longer = Math.min(LONGEST, 2 * interval);
        interval = (short) longer;
        untilTried = (short) longer;
    }
}
