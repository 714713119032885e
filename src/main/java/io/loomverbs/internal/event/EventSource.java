package io.loomverbs.internal.event;

/**
 * The source of the events of many queues, if threads have to fetch them: a thread has to wait in
 * it, in the kernel. {@link Leadership} ensures that one thread does.
 */
public interface EventSource {
    /**
     * Waits until there are events, for at most {@code nanos}, and raises some of them, on the
     * calling thread. Returns after a {@link #wake} too, and may return just so.
     *
     * <p>Called by one thread at a time. An exception says that the source is gone, and ends all
     * queues. An Error is the calling thread's own: the next one is to find everything as before.
     *
     * @param nanos {@link Long#MAX_VALUE} for no limit
     * @param leader asked after each event whether to raise more
     * @return how many events were raised
     */
    int await(long nanos, Leader leader);

    /**
     * Makes the {@link #await} that goes on return, or, if none does, the next. From any thread.
     */
    void wake();

    /** The thread that waits on everybody's behalf. */
    interface Leader {
        /** Whether a thread is left to fetch events for: the leader itself, or others. */
        boolean goesOn();
    }
}
