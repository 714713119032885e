package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A queue of waiting threads, one of which may lead: see {@link Leadership}. */
public abstract class LedQueue {
    /** How often a step that others wait for is tried when it ends with an Error. */
    static final int MOST_TRIES = 1000;

    /**
     * How many events a thread fetches for others while it looks for one of its own without
     * waiting. Others may arrive as fast as it fetches them.
     */
    static final int MOST_FETCHED = 1 << 12;

    /** The feed that events must be fetched from; null if the device raises them itself. */
    @Nullable EventFeed feed;

    @Nullable Leadership leadership;

    final Leadership.Enlistment enlistment = new Leadership.Enlistment(this);

    /**
     * The object that threads of this queue wait for, as a thread dump shows it. Set before the
     * queue is shared.
     */
    Object blocker = this;

    LedQueue() {}

    /** Sets the feed that events must be fetched from, before the queue is shared. */
    public final void comesFrom(@Nullable EventFeed newFeed) {
        feed = newFeed;
        if (newFeed != null) {
            leadership = newFeed.leadership();
            newFeed.attach(this);
        }
    }

    /**
     * Sets the object that a thread dump shows for threads of this queue, before the queue is
     * shared. A dump prints the class and the identity hash, never the text of an object.
     */
    public final void blocksAs(Object newBlocker) {
        blocker = newBlocker;
    }

    /** The threads that wait here now, the longest waiter first. */
    public abstract List<Waiting> waiting();

    /** Called after the queue has ended, so that nothing that outlives the queue keeps it. */
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
