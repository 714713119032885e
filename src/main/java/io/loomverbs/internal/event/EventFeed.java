package io.loomverbs.internal.event;

/** The feed from which threads fetch the events of a queue: a completion channel. */
public interface EventFeed {
    /** Whose leader fetches events while threads wait. */
    Leadership leadership();

    /** Events of {@code queue} come through here: if it fails, the queue is ended. */
    void attach(LedQueue queue);

    /** The queue has ended. */
    void detach(LedQueue queue);

    /**
     * A thread begins to wait for events that come through here: the source is to tell of them. A
     * failure ends the queues. If this throws, the thread has not joined.
     */
    void join();

    /** A thread that has joined waits no longer. */
    void leave();

    /**
     * Fetches one event, if there is one, and raises it, in whatever queue it belongs to. Never
     * waits.
     *
     * @return false if there was none
     */
    boolean fetch();
}
