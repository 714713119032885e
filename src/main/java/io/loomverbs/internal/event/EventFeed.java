package io.loomverbs.internal.event;

/** The feed from which threads fetch the events of a queue: a completion channel. */
public interface EventFeed {
    /** The leadership that fetches events while threads wait. */
    Leadership leadership();

    /** Attaches {@code queue}: if this feed fails, the queue is ended. */
    void attach(LedQueue queue);

    /** Called when a queue has ended. */
    void detach(LedQueue queue);

    /**
     * Called when a thread begins to wait for events of this feed: the source must report them from
     * now on. A failure ends the queues. If this throws, the thread has not joined.
     *
     * @throws EventQueueEndedException if the source cannot report them now: a later call may
     *     succeed, and the queues go on
     */
    void join();

    /** Called when a thread that has joined stops waiting. */
    void leave();

    /**
     * Fetches one event, if there is one, and raises it in its queue. Never waits.
     *
     * @return false if there was none
     */
    boolean fetch();
}
