package io.loomverbs.blocking;

/** What a thread waits for at a {@link Dispatcher}. */
interface Goal extends Shown {
    /** Whether the wait is over. Once true, it stays true for the thread that waits. */
    boolean isReached();

    /**
     * Makes the goal known to the threads that can reach it: they call {@link Parked#wake} after
     * they have reached it. Called once for each waiter, before it looks again and parks.
     */
    void enlist(Parked waiter);

    /** Ends what {@link #enlist} began, whether or not the goal is reached. */
    void leave(Parked waiter);

    /**
     * Whether another thread is doing something that may reach the goal without a completion. That
     * does not wake a thread that waits for completions, so such a thread must not wait for long.
     */
    default boolean isNear() {
        return false;
    }
}
