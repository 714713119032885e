package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.event.AsyncQueue;
import io.loomverbs.internal.event.AsyncQueue.Raised;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.Ledger;
import io.loomverbs.internal.event.Waiting;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The asynchronous events of one context: those that wait, and those that were received. */
final class AsyncEvents {
    private final Context context;
    private final AsyncQueue queue = new AsyncQueue();
    private final Set<AsyncEvent> unacked = ConcurrentHashMap.newKeySet();

    AsyncEvents(Context context) {
        this.context = context;
        queue.blocksAs(this);
    }

    /** The threads that wait for asynchronous events now. */
    List<Waiting> waiting() {
        return queue.waiting();
    }

    void fetchedFrom(@Nullable EventFeed feed) {
        queue.fetchedFrom(feed);
    }

    /** Makes the device report an event, if there is one. Never waits. */
    void fetch() {
        queue.fetch();
    }

    void raisePort(int type, int port) {
        queue.raise(new Raised(type, port, null, null));
        Recorder.asyncEvent(AsyncEventType.of(type), type, context, port);
    }

    void raise(int type, Object owner, Ledger ledger) {
        queue.raise(new Raised(type, 0, owner, ledger));
        Recorder.asyncEvent(AsyncEventType.of(type), type, owner, 0);
        if (type == Ibv.EVENT_CQ_ERR && owner instanceof CompletionQueue cq) {
            Recorder.cqOverrun(cq, cq.cqe(), cq.ops().polled());
        } else if (isError(type) && owner instanceof QueuePair qp) {
            Recorder.qpError(qp, AsyncEventType.of(type), qp.sendCq(), qp.recvCq());
        }
    }

    private static boolean isError(int type) {
        return type == Ibv.EVENT_QP_FATAL
                || type == Ibv.EVENT_QP_REQ_ERR
                || type == Ibv.EVENT_QP_ACCESS_ERR;
    }

    @Nullable AsyncEvent take(long nanos) throws InterruptedException {
        RecordedWait wait = Recorder.beginWait();
        Raised raised = null;
        try {
            raised = queue.take(nanos);
        } catch (EventQueueEndedException e) {
            throw CqEvent.ended("ibv_get_async_event", context, e);
        } finally {
            Recorder.endWait(wait, context, "getAsyncEvent", raised != null);
        }
        return raised == null ? null : received(raised);
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

    /** The events that were received and not acknowledged. */
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
