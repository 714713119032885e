package io.loomverbs.cm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.ClosedException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.cm.CmOps;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An id with the events that came for it: the end of a connection, or a member of a group, from its
 * beginning on.
 */
final class Endpoint implements CmListener {
    /*
     * Until the connection is established, or the group is joined, its events wait for the thread
     * that sets it up, which takes one after the other. From then on only its end matters.
     *
     *   the setting-up thread:  `establish` names the action for the peer's end
     *   the raiser of the end:  records the end, then runs the action
     *
     * Both under the lock, so that one of them sees the other: the end is acted upon once, on
     * whichever side of `establish` it comes. The action itself runs without the lock.
     *
     * A close wakes every waiter. An event that arrives during or after it is dropped.
     */
    /** How often the action of the end is tried when it ends with an Error. */
    private static final int MOST_TRIES = 1000;

    private final String name;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final ArrayDeque<CmEvent> events = new ArrayDeque<>(4);

    /** Why the connection, the group, or the attempt is over; null before that. */
    @GuardedBy("lock")
    private @Nullable CmEvent end;

    /** The action at the end; null until the connection is established. */
    @GuardedBy("lock")
    private @Nullable Runnable atEnd;

    @GuardedBy("lock")
    private boolean closing;

    @GuardedBy("lock")
    private boolean closed;

    /** Written once, before any event can come. */
    @SuppressWarnings("NullAway.Init")
    private CmIdOps ops;

    private Endpoint(String name) {
        this.name = name;
    }

    /** With an id of its own. A {@code DeviceException} says why there is none. */
    static Endpoint create(String name, CmOps cm, int ps) {
        Endpoint endpoint = new Endpoint(name);
        endpoint.ops = cm.createId(endpoint, ps);
        return endpoint;
    }

    /** With the id of a request that has just arrived. */
    static Endpoint incoming(String name, CmIdOps id) {
        Endpoint endpoint = new Endpoint(name);
        endpoint.ops = id;
        id.listener(endpoint);
        return endpoint;
    }

    CmIdOps ops() {
        return ops;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the same event, told again
    public void event(CmEvent event) {
        Runnable action = null;
        lock.lock();
        try {
            if (closing) {
                return;
            }
            if (isEnd(event.type())) {
                if (end == null || end == event) { // again, after an Error
                    end = event;
                    action = atEnd;
                }
            } else if (atEnd != null) {
                return; // such as UNREACHABLE, after a change of the neighbor: it says nothing
            }
            if (atEnd == null && isForSetup(event.type())) {
                events.add(event);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (action != null) {
            act(action);
        }
    }

    /** Nothing else takes the queue pair to ERR: lack of memory must not leave it in RTS. */
    private static void act(Runnable action) {
        for (int tries = 1; ; tries++) {
            try {
                action.run();
                return;
            } catch (VirtualMachineError e) {
                if (tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    private static boolean isEnd(int type) {
        return type == Cm.EVENT_DISCONNECTED
                || type == Cm.EVENT_MULTICAST_ERROR
                || type == Cm.EVENT_DEVICE_REMOVAL
                || type == Cm.CHANNEL_FAILED;
    }

    private static boolean isForSetup(int type) {
        return type != Cm.EVENT_ADDR_CHANGE && type != Cm.EVENT_TIMEWAIT_EXIT;
    }

    /**
     * The next event of the connection's setup, waiting for at most {@code nanos}.
     *
     * @return null if none came in time
     * @throws ClosedException if the endpoint is closed before or meanwhile
     */
    @Nullable CmEvent take(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (true) {
                if (closing) {
                    throw closedException();
                }
                CmEvent event = events.poll();
                if (event != null || left <= 0) {
                    return event;
                }
                left = await(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The connection is established. If it is over already, {@code action} runs now.
     *
     * @param action run once, when the peer has left or the device is gone
     * @throws ClosedException if the endpoint was closed meanwhile
     */
    void establish(Runnable action) {
        boolean over;
        lock.lock();
        try {
            if (closing) {
                throw closedException();
            }
            atEnd = action;
            events.clear();
            over = end != null;
        } finally {
            lock.unlock();
        }
        if (over) {
            act(action);
        }
    }

    /** Waits for at most {@code nanos}: what is left of them. Without a limit it reads no clock. */
    @GuardedBy("lock")
    @SuppressWarnings("WaitNotInLoop") // the callers loop
    private long await(long nanos) throws InterruptedException {
        if (nanos == Long.MAX_VALUE) {
            changed.await();
            return nanos;
        }
        return changed.awaitNanos(nanos);
    }

    /** Why it is over; null if it is not. */
    @Nullable CmEvent end() {
        lock.lock();
        try {
            return end;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until it is over, for at most {@code nanos}.
     *
     * @return why; null if it is not over by then
     * @throws ClosedException if the endpoint is closed before or meanwhile
     */
    @Nullable CmEvent awaitEnd(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (true) {
                if (closing) {
                    throw closedException();
                }
                if (end != null || left <= 0) {
                    return end;
                }
                left = await(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until it is over, for at most {@code nanos}.
     *
     * @param expected the event that is no failure of the wait
     * @return whether it is over
     * @throws ClosedException if the endpoint is closed before or meanwhile
     * @throws ConnectionException if another event has ended it
     */
    boolean awaitEnd(long nanos, int expected) throws InterruptedException {
        CmEvent event = awaitEnd(nanos);
        if (event != null && event.type() != expected) {
            throw ConnectionException.of(
                    "rdma_get_cm_event", event.type(), event.status(), name + " is over");
        }
        return event != null;
    }

    /** Closes it while there is no connection yet: there is nothing to disconnect. */
    void close() {
        close(() -> {});
    }

    /**
     * Ends all waits, and destroys the id. If two threads close at once, the second waits for the
     * first.
     *
     * @param leave run before the id is destroyed, such as to disconnect
     */
    void close(Runnable leave) {
        lock.lock();
        try {
            if (closing) {
                while (!closed) {
                    changed.awaitUninterruptibly();
                }
                return;
            }
            closing = true;
            events.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            leave.run();
        } finally {
            destroy();
        }
    }

    private void destroy() {
        try {
            ops.destroy();
        } finally {
            lock.lock();
            try {
                closed = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closing;
        } finally {
            lock.unlock();
        }
    }

    /** The exception for a refused call, which may have been refused because of a close. */
    RuntimeException failure(String call, int rc, String detail) {
        return isClosed() ? closedException() : ConnectionException.refused(call, rc, detail);
    }

    /** The exception for an event that ends the setup. */
    ConnectionException failure(String call, CmEvent event) {
        return event.type() == Cm.EVENT_REJECTED
                ? new RejectedException(call, event.status(), event.privateData(), name)
                : ConnectionException.of(call, event.type(), event.status(), name);
    }

    ClosedException closedException() {
        return new ClosedException(name);
    }

    @Override
    public String toString() {
        return name;
    }
}
