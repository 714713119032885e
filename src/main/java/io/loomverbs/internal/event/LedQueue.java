package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A queue of waiting threads, one of which may have to lead: see {@link Leadership}. */
public abstract class LedQueue {
    /** How often a step that others wait for is tried when it ends with an Error. */
    static final int MOST_TRIES = 1000;

    /**
     * How many events a thread fetches for others while it looks for one of its own without
     * waiting. Others may come as fast as it fetches them.
     */
    static final int MOST_FETCHED = 1 << 12;

    /** What events have to be fetched from; null if they come by themselves. */
    @Nullable EventFeed feed;

    @Nullable Leadership leadership;

    final Leadership.Enlistment enlistment = new Leadership.Enlistment(this);

    /**
     * What a thread dump says that threads of this queue wait for. Set before the queue is shared.
     */
    Object blocker = this;

    LedQueue() {}

    /** Says where events have to be fetched, before the queue is shared. */
    public final void comesFrom(@Nullable EventFeed newFeed) {
        feed = newFeed;
        if (newFeed != null) {
            leadership = newFeed.leadership();
            newFeed.attach(this);
        }
    }

    /**
     * Says what a thread dump shows as what threads of this queue wait for, before the queue is
     * shared. A dump prints the class and the identity hash, never the text of an object.
     */
    public final void blocksAs(Object newBlocker) {
        blocker = newBlocker;
    }

    /** The threads that wait here now, the longest waiter first. */
    public abstract List<Waiting> waiting();

    /** After the queue has ended: nothing that outlives it keeps it. */
    final void goesFrom() {
        if (feed != null) {
            feed.detach(this);
            feed.leadership().forget(this);
        }
    }

    /**
     * Makes the first waiter of this queue the leader, if there is a waiter and no leader, under
     * the lock of this queue. Enlists the queue again first.
     */
    abstract void promote(Leadership leaderless);

    /**
     * No more events come: wakes every waiter, now and later. The first call counts.
     *
     * @param cause null if the queue was closed, else why it failed
     */
    public abstract void end(@Nullable Throwable cause);
}
