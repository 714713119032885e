package io.loomverbs.cm;

import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.device.Errno;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A connected queue pair, with the connection manager's end of the connection.
 *
 * <p>When the peer disconnects, or its process dies, the queue pair goes to ERR: requests that are
 * under way complete with {@code WR_FLUSH_ERR}, so that threads which wait for completions are
 * woken. No other thread needs to wait here for that. If the peer's host vanishes, only an
 * unacknowledged message reveals it: see {@link ConnectionConfig#withRetryCount}.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class RdmaConnection implements AutoCloseable {
    private static final int ENOTCONN = 107;

    private final Endpoint endpoint;
    private final QueuePair qp;
    private final InetSocketAddress local;
    private final InetSocketAddress peer;
    private final CmEvent told;

    /**
     * Whether this side has left: then neither the peer's answer nor a close has anything to do.
     */
    private volatile boolean left;

    private RdmaConnection(Attempt attempt, QueuePair qp, CmEvent told) {
        this.endpoint = attempt.endpoint();
        this.qp = qp;
        this.local = attempt.local();
        this.peer = attempt.peer();
        this.told = told;
    }

    /**
     * Takes over what {@code attempt} has set up.
     *
     * @param told the event of the peer's request or answer
     */
    static RdmaConnection of(Attempt attempt, QueuePair qp, CmEvent told) {
        RdmaConnection connection = new RdmaConnection(attempt, qp, told);
        attempt.handOver(connection::leave);
        return connection;
    }

    /**
     * The connected queue pair.
     *
     * @return the one that was given to {@code connect} or {@code accept}
     */
    public QueuePair queuePair() {
        return qp;
    }

    /**
     * The address of this end ({@code rdma_get_local_addr}).
     *
     * @return address and port
     */
    public InetSocketAddress localAddress() {
        return local;
    }

    /**
     * The address of the other end ({@code rdma_get_peer_addr}).
     *
     * @return address and port
     */
    public InetSocketAddress peerAddress() {
        return peer;
    }

    /**
     * The private data of the peer's request or answer.
     *
     * @return a copy, on InfiniBand and RoCE padded with zeros: to 56 bytes for a request, to 196
     *     for an answer
     */
    public byte[] privateData() {
        return told.privateData().clone();
    }

    /**
     * Whether the peer's queue pair takes its receives from an SRQ.
     *
     * @return the peer's value of {@code rdma_conn_param.srq}
     * @see ConnectRequest#peerUsesSrq
     */
    public boolean peerUsesSrq() {
        return told.srq();
    }

    /**
     * Whether the connection is over: both sides have disconnected, the peer has died, or the
     * device is gone.
     *
     * @return whether {@link #awaitDisconnect()} would return at once
     */
    public boolean isDisconnected() {
        return endpoint.end() != null;
    }

    /**
     * Waits without a time limit until the connection is over: until the peer has disconnected or
     * died, or has answered a {@link #disconnect()} of this side.
     *
     * @throws InterruptedException if the thread was interrupted
     * @throws io.loomverbs.ClosedException if the connection is closed before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public void awaitDisconnect() throws InterruptedException {
        endpoint.awaitEnd(Long.MAX_VALUE, Cm.EVENT_DISCONNECTED);
    }

    /**
     * Waits until the connection is over, for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return whether it is over
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if the timeout is negative
     * @throws io.loomverbs.ClosedException if the connection is closed before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public boolean awaitDisconnect(Duration timeout) throws InterruptedException {
        return endpoint.awaitEnd(Checks.nanos("timeout", timeout), Cm.EVENT_DISCONNECTED);
    }

    /**
     * Disconnects ({@code rdma_disconnect}). The queue pair goes to ERR, so that everything posted
     * to it completes, and the peer is notified. Does not wait for the peer's answer: see {@link
     * #awaitDisconnect()}. If the connection is over, or was disconnected before, this does
     * nothing.
     *
     * @throws io.loomverbs.ClosedException if the connection is closed
     * @throws ConnectionException if rdma_cm has failed
     */
    public void disconnect() {
        if (endpoint.isClosed()) {
            throw endpoint.closedException();
        }
        int rc = depart();
        if (rc != 0 && endpoint.isClosed()) {
            throw endpoint.closedException();
        }
        if (rc != 0) {
            throw ConnectionException.refused(
                    "rdma_disconnect", rc, this + " was not disconnected");
        }
    }

    /** Called when the peer has left; its answer must not wait for the program. */
    private void leave() {
        int ignored = depart();
    }

    /** Both sides may leave at once: the second call finds nothing to do. */
    private int depart() {
        if (left) {
            return 0;
        }
        boolean flushes = QpSteps.toErr(qp);
        int rc = endpoint.ops().disconnect();
        boolean isOver = rc == 0 || rc == -Errno.EINVAL || rc == -ENOTCONN;
        left = flushes && isOver; // else the next call tries again
        return isOver ? 0 : rc;
    }

    /**
     * Disconnects if necessary, and destroys the connection and its queue pair. Waits neither for
     * the peer's answer nor for completions: to receive those, {@link #disconnect()} first, and
     * poll until everything posted has completed. Parks until every received asynchronous event of
     * the queue pair is acknowledged. Closing again does nothing; if two threads close
     * concurrently, the second waits for the first.
     *
     * @throws io.loomverbs.VerbsException if the queue pair cannot be closed: see {@link
     *     QueuePair#close}. The connection is over then, and another close tries again
     */
    @Override
    public void close() {
        try {
            endpoint.close(this::leave);
        } finally {
            qp.close();
        }
    }

    /** Both addresses. */
    @Override
    public String toString() {
        return endpoint.toString();
    }
}
