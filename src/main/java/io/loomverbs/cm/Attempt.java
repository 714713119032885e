package io.loomverbs.cm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.Access;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;

import java.util.concurrent.locks.ReentrantLock;

/** An endpoint that becomes a connection once, or never: what a route and a request share. */
final class Attempt {
    private enum State {
        OPEN,
        /** A thread sets the connection up, or has rejected it. */
        USED,
        /** The endpoint belongs to a connection. */
        HANDED_OVER,
        CLOSED
    }

    private final Endpoint endpoint;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private State state = State.OPEN;

    Attempt(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** What has to be done with the endpoint and the queue pair until they are connected. */
    interface Steps {
        /**
         * Takes the endpoint and the queue pair through what is left.
         *
         * @param state the state of the queue pair
         */
        RdmaConnection run(QpState state) throws InterruptedException;
    }

    /** Takes a queue pair of that device from RESET to INIT; the endpoint can be used after it. */
    void init(QueuePair qp, String device, Access... access) {
        Access[] granted = Checks.all(access, "access");
        ensureOpen();
        QpSteps.check(qp, device, QpType.RC);
        QpSteps.init(endpoint.ops(), qp, granted);
    }

    /**
     * Makes a connection of the endpoint and a queue pair of that device. If a step fails, the
     * endpoint is closed and the queue pair flushes what was posted.
     *
     * @throws io.loomverbs.ClosedException if the endpoint is closed
     * @throws IllegalStateException if it was used
     */
    RdmaConnection connect(QueuePair qp, String device, Steps steps) throws InterruptedException {
        ensureOpen();
        QpState state = QpSteps.check(qp, device, QpType.RC);
        begin();
        boolean connected = false;
        try {
            RdmaConnection connection = steps.run(state);
            connected = true;
            return connection;
        } finally {
            if (!connected) {
                fail(qp);
            }
        }
    }

    /**
     * Claims the endpoint for the caller.
     *
     * @throws io.loomverbs.ClosedException if it is closed
     * @throws IllegalStateException if it was used
     */
    void begin() {
        lock.lock();
        try {
            ensureUnused();
            state = State.USED;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #begin}, without claiming it. */
    void ensureOpen() {
        lock.lock();
        try {
            ensureUnused();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void ensureUnused() {
        if (state == State.CLOSED) {
            throw endpoint.closedException();
        }
        if (state != State.OPEN) {
            throw new IllegalStateException(endpoint + " was used already: it serves once");
        }
    }

    /**
     * Gives the endpoint to a connection, which does {@code atEnd} when its peer leaves.
     *
     * @throws io.loomverbs.ClosedException if it was closed meanwhile
     */
    void handOver(Runnable atEnd) {
        lock.lock();
        try {
            if (state == State.CLOSED) {
                throw endpoint.closedException();
            }
            state = State.HANDED_OVER;
        } finally {
            lock.unlock();
        }
        endpoint.establish(atEnd);
    }

    private void fail(QueuePair qp) {
        try {
            endpoint.close();
        } finally {
            QpSteps.toErr(qp);
        }
    }

    /** Closes the endpoint, unless it belongs to a connection. */
    void close() {
        lock.lock();
        try {
            if (state == State.HANDED_OVER) {
                return;
            }
            state = State.CLOSED;
        } finally {
            lock.unlock();
        }
        endpoint.close();
    }
}
