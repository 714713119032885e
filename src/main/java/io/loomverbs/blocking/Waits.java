package io.loomverbs.blocking;

import io.loomverbs.WaitStats;

/** Shows waits of this package as the API shows its own. */
final class Waits {
    private Waits() {}

    /**
     * One wait.
     *
     * @param since when it began, as {@link System#nanoTime}
     */
    static WaitStats of(Thread thread, String what, long since) {
        return new WaitStats(
                thread.getName(),
                thread.threadId(),
                thread.isVirtual(),
                what,
                System.nanoTime() - since);
    }
}
