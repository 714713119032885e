package io.loomverbs.internal.event;

/**
 * The source of the events of many queues, if threads must fetch them: a thread must wait in it, in
 * the kernel. {@link Leadership} ensures that one thread does.
 */
public interface EventSource {
    /**
     * Waits until there are events, for at most {@code nanos}, and raises some of them, on the
     * calling thread. Also returns after a {@link #wake}, and may return spuriously.
     *
     * <p>Called by one thread at a time. An exception means that the source has failed, and ends
     * all queues. An Error affects only the calling thread: the next one must find everything as
     * before.
     *
     * @param nanos {@link Long#MAX_VALUE} for no limit
     * @param leader asked after each event whether to raise more
     * @return how many events were raised
     */
    int await(long nanos, Leader leader);

    /**
     * Makes the current {@link #await} return, or, if there is none, the next one. From any thread.
     */
    void wake();

    /** The thread that waits on behalf of all. */
    interface Leader {
        /** Whether a thread is left to fetch events for: the leader itself, or others. */
        boolean goesOn();
    }
}
