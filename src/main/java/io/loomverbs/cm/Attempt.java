package io.loomverbs.cm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.Access;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.device.Errno;

import java.net.InetSocketAddress;
import java.util.Objects;
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
    private final InetSocketAddress local;
    private final InetSocketAddress peer;
    private final String device;
    private final int port;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private State state = State.OPEN;

    /** An attempt with an id that has both addresses, over that device. */
    Attempt(Endpoint endpoint, String device) {
        CmIdOps id = endpoint.ops();
        this.endpoint = endpoint;
        this.local = Objects.requireNonNull(id.localAddress());
        this.peer = Objects.requireNonNull(id.peerAddress());
        this.device = device;
        this.port = id.portNum();
    }

    /** A request that has just arrived. Its name begins with {@code what}. */
    static Attempt incoming(String what, CmIdOps id) {
        String name =
                what
                        + " from "
                        + Checks.text(Objects.requireNonNull(id.peerAddress()))
                        + " to "
                        + Checks.text(Objects.requireNonNull(id.localAddress()));
        return new Attempt(Endpoint.incoming(name, id), Objects.requireNonNull(id.deviceName()));
    }

    Endpoint endpoint() {
        return endpoint;
    }

    InetSocketAddress local() {
        return local;
    }

    InetSocketAddress peer() {
        return peer;
    }

    String device() {
        return device;
    }

    int port() {
        return port;
    }

    /** The steps of the endpoint and the queue pair until they are connected. */
    interface Steps {
        /**
         * Takes the endpoint and the queue pair through the remaining steps.
         *
         * @param state the state of the queue pair
         */
        RdmaConnection run(QpState state) throws InterruptedException;
    }

    /** Takes a queue pair of its device from RESET to INIT; the endpoint can be used after it. */
    void init(QueuePair qp, Access... access) {
        Access[] granted = Checks.all(access, "access");
        ensureOpen();
        QpSteps.check(qp, device, QpType.RC);
        QpSteps.init(endpoint.ops(), qp, granted);
    }

    /** Takes a queue pair for datagrams to RTS; the endpoint can be used after it. */
    void activate(QueuePair qp) {
        Checks.notNull(qp, "qp");
        ensureOpen();
        QpSteps.activate(endpoint.ops(), qp, device);
    }

    /** Rejects the request, and closes it. It is no error if the client has gone meanwhile. */
    void reject(byte[] privateData, int limit) {
        Checks.privateData("privateData", privateData, limit, "a rejection");
        begin();
        try {
            int rc = endpoint.ops().reject(privateData);
            if (rc != 0 && rc != -Errno.EINVAL) {
                throw ConnectionException.refused(
                        "rdma_reject", rc, endpoint + " was not rejected");
            }
        } finally {
            close();
        }
    }

    /**
     * Makes a connection of the endpoint and a queue pair of its device. If a step fails, the
     * endpoint is closed and the queue pair flushes what was posted.
     *
     * @throws io.loomverbs.ClosedException if the endpoint is closed
     * @throws IllegalStateException if it was used
     */
    RdmaConnection connect(QueuePair qp, Steps steps) throws InterruptedException {
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
            throw new IllegalStateException(endpoint + " was used already: it can be used once");
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
