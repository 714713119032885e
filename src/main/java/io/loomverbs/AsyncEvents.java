package io.loomverbs;

import io.loomverbs.internal.event.AsyncQueue;
import io.loomverbs.internal.event.AsyncQueue.Raised;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.Ledger;

import org.jspecify.annotations.Nullable;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The asynchronous events of one context: those that wait, and those that were received. */
final class AsyncEvents {
    private final Context context;
    private final AsyncQueue queue = new AsyncQueue();
    private final Set<AsyncEvent> unacked = ConcurrentHashMap.newKeySet();

    AsyncEvents(Context context) {
        this.context = context;
    }

    void fetchedFrom(@Nullable EventFeed feed) {
        queue.fetchedFrom(feed);
    }

    /** Has the device report an event, if there is one. Never waits. */
    void fetch() {
        queue.fetch();
    }

    void raisePort(int type, int port) {
        queue.raise(new Raised(type, port, null, null));
    }

    void raise(int type, Object owner, Ledger ledger) {
        queue.raise(new Raised(type, 0, owner, ledger));
    }

    @Nullable AsyncEvent take(long nanos) throws InterruptedException {
        try {
            Raised raised = queue.take(nanos);
            if (raised == null) {
                return null;
            }
            return received(raised);
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended("ibv_get_async_event", context, e);
        }
    }

    private AsyncEvent received(Raised raised) {
        AsyncEvent event = null;
        try {
            event = new AsyncEvent(this, raised);
            unacked.add(event);
            return event;
        } catch (Error e) { // such as no memory: no thread has the event
            try {
                if (event != null) {
                    unacked.remove(event);
                }
                queue.raise(raised);
            } finally {
                if (ack(raised)) {
                    queue.recheck();
                }
            }
            throw e;
        }
    }

    /**
     * Acknowledges an event, unless this throws.
     *
     * @return whether no more events could be counted until now
     */
    static boolean ack(Raised raised) {
        Ledger ledger = raised.ledger();
        int outcome = ledger == null ? Ledger.ACKED : ledger.tryAckAsync();
        if (outcome == 0) {
            throw new AssertionError("an asynchronous event was not counted: " + raised.owner());
        }
        return outcome == Ledger.ACKED_WHEN_FULL;
    }

    void acked(AsyncEvent event, boolean madeRoom) {
        unacked.remove(event);
        if (madeRoom) {
            queue.recheck();
        }
    }

    /**
     * Whether the calling thread would wait for itself if it waited for the events of {@code
     * owner}.
     */
    boolean isHeldHere(Object owner) {
        Thread me = Thread.currentThread();
        return unacked.stream().anyMatch(event -> event.isHeldBy(me, owner));
    }

    /** What was received and not acknowledged. */
    Set<AsyncEvent> unacked() {
        return unacked;
    }

    /** Called when a close has failed: the object's events can be received again. */
    void recheck() {
        queue.recheck();
    }

    /** Drops the events of a destroyed {@code owner} that no thread has received. */
    void drop(Object owner) {
        queue.drop(owner);
    }

    void close() {
        queue.end();
    }
}
