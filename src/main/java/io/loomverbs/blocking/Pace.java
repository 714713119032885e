package io.loomverbs.blocking;

/**
 * Whether completions of a CQ come several at a time. Then other threads are about to cause more:
 * those that were woken, or those of the peer. A leader that lets them run first finds these by a
 * poll, and needs no event. The leader's.
 */
final class Pace {
    private boolean inBursts;

    /** So many completions came together, or so many threads were woken by one. */
    void came(int together) {
        if (together > 1) {
            inBursts = true;
        }
    }

    /** Lets others run after a burst, once: without another one there is no reason to. */
    boolean letOthersRunAfterBurst() {
        boolean due = inBursts;
        if (due) {
            inBursts = false;
            letOthersRun();
        }
        return due;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a hint only: it is right without the yield, too
    static void letOthersRun() {
        if (Thread.currentThread().isVirtual()) {
            try {
                Thread.yield();
            } catch (VirtualMachineError e) {
                // No memory, or no stack, to yield. Others wait for what this thread does: it must
                // go on.
            }
        }
    }
}
