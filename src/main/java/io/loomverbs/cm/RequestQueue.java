package io.loomverbs.cm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.ClosedException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/** The requests that a listener has received and no thread has accepted yet. */
final class RequestQueue<R> implements CmListener {
    /*
     * A request is put into the queue, or is rejected, under the lock that a close takes to empty
     * the queue: no request stays in the queue of a closed listener. Each request wakes one waiter;
     * a waiter that gives up after that leaves the request to the next one that looks.
     */
    private final String name;
    private final int backlog;
    private final BiFunction<CmIdOps, CmEvent, R> made;
    private final Consumer<R> closer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();

    @GuardedBy("lock")
    private final ArrayDeque<R> requests = new ArrayDeque<>();

    @GuardedBy("lock")
    private @Nullable CmEvent failure;

    @GuardedBy("lock")
    private boolean closed;

    private RequestQueue(
            String name, int backlog, BiFunction<CmIdOps, CmEvent, R> made, Consumer<R> closer) {
        this.name = name;
        this.backlog = backlog;
        this.made = made;
        this.closer = closer;
    }

    static RequestQueue<ConnectRequest> ofConnections(String name, int backlog) {
        return new RequestQueue<>(name, backlog, ConnectRequest::of, ConnectRequest::close);
    }

    static RequestQueue<UdRequest> ofDatagrams(String name, int backlog) {
        return new RequestQueue<>(name, backlog, UdRequest::of, UdRequest::close);
    }

    @Override
    public void event(CmEvent event) {
        CmIdOps id = event.incoming();
        if (id != null) {
            boolean queued = false;
            try {
                // A device that librdmacm cannot open has no name.
                queued = id.deviceName() != null && add(made.apply(id, event));
            } finally {
                if (!queued) {
                    id.destroy(); // which rejects it
                }
            }
        } else if (event.type() == Cm.EVENT_DEVICE_REMOVAL || event.type() == Cm.CHANNEL_FAILED) {
            fail(event);
        }
    }

    private boolean add(R request) {
        lock.lock();
        try {
            if (closed || requests.size() >= backlog) {
                return false;
            }
            requests.add(request);
            arrived.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void fail(CmEvent cause) {
        lock.lock();
        try {
            failure = cause;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The longest waiting request; null if none came within {@code nanos}. */
    @Nullable R take(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (true) {
                if (closed) {
                    throw new ClosedException(name);
                }
                R request = requests.poll();
                if (request != null) {
                    return request;
                }
                if (failure != null) {
                    throw ConnectionException.of(
                            "rdma_get_cm_event", failure.type(), failure.status(), name);
                }
                if (left <= 0) {
                    return null;
                }
                if (left == Long.MAX_VALUE) {
                    arrived.await();
                } else {
                    left = arrived.awaitNanos(left);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The longest waiting request, without a time limit. */
    R take() throws InterruptedException {
        R request;
        do {
            request = take(Long.MAX_VALUE);
        } while (request == null);
        return request;
    }

    /** Ends all waits, and rejects the waiting requests. */
    void close() {
        ArrayDeque<R> left;
        lock.lock();
        try {
            closed = true;
            left = requests.clone();
            requests.clear();
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        left.forEach(closer);
    }

    @Override
    public String toString() {
        return name;
    }
}
