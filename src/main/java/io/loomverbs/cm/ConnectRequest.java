package io.loomverbs.cm;

import io.loomverbs.Access;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.device.Errno;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A client's request for a connection, received by {@link RdmaListener#accept()}. It is accepted or
 * rejected once; closing it rejects it. A client that gets no answer waits until its own timeout.
 *
 * <p>It names the device and the port on which it has arrived, so that the queue pair is created
 * there. To have receives posted before the client may send, call {@link #init}, post, then accept.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class ConnectRequest implements AutoCloseable {
    private static final int EISCONN = 106;

    private final Attempt attempt;
    private final CmEvent request;

    private ConnectRequest(Attempt attempt, CmEvent request) {
        this.attempt = attempt;
        this.request = request;
    }

    static ConnectRequest of(CmIdOps id, CmEvent request) {
        return new ConnectRequest(Attempt.incoming("connection", id), request);
    }

    /**
     * The address that the client has connected to.
     *
     * @return address and port
     */
    public InetSocketAddress localAddress() {
        return attempt.local();
    }

    /**
     * The client's address.
     *
     * @return address and port
     */
    public InetSocketAddress peerAddress() {
        return attempt.peer();
    }

    /**
     * The device on which the request has arrived: the queue pair must be of this one.
     *
     * @return the name of the device, as {@link io.loomverbs.Device#name()}
     */
    public String deviceName() {
        return attempt.device();
    }

    /**
     * The port of the device on which the request has arrived.
     *
     * @return the port, from 1 on
     */
    public int port() {
        return attempt.port();
    }

    /**
     * The private data of the client's request.
     *
     * @return a copy, on InfiniBand and RoCE padded with zeros to 56 bytes
     */
    public byte[] privateData() {
        return request.privateData().clone();
    }

    /**
     * How many READs and atomics the client wants to have under way at once: {@link
     * ConnectionConfig#withResponderResources} need not be more than this.
     *
     * @return the client's initiator depth
     */
    public int responderResources() {
        return request.responderResources();
    }

    /**
     * How many READs and atomics the client serves at once.
     *
     * @return the client's responder resources
     */
    public int initiatorDepth() {
        return request.initiatorDepth();
    }

    /**
     * Whether the client's queue pair takes its receives from an SRQ. The device then cannot tell
     * how many are posted for this connection: a message that finds none is sent again, as often as
     * {@link ConnectionConfig#withRnrRetryCount} says.
     *
     * @return the client's value of {@code rdma_conn_param.srq}
     */
    public boolean peerUsesSrq() {
        return request.srq();
    }

    /**
     * Initializes a queue pair for this request, from RESET to INIT, so that receives can be posted
     * before the client may send.
     *
     * @param qp a queue pair of type RC, of {@link #deviceName()}
     * @param access what the client may do over the queue pair, if the region allows it, too; none
     *     to allow only messages
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the request or the queue pair is closed
     * @throws IllegalStateException if the request was answered, or the queue pair is connected
     * @throws ConnectionException if the client has gone meanwhile, or the device is an iWARP
     *     device
     * @throws io.loomverbs.VerbsException if the device refuses
     */
    public void init(QueuePair qp, Access... access) {
        refuseIwarp();
        attempt.init(qp, access);
    }

    /**
     * Accepts with {@linkplain ConnectionConfig#defaults() defaults}, and waits without a time
     * limit.
     *
     * @param qp as in {@link #accept(QueuePair, ConnectionConfig, Duration)}
     * @return the connection
     * @throws InterruptedException if the thread was interrupted
     */
    public RdmaConnection accept(QueuePair qp) throws InterruptedException {
        return accept(qp, ConnectionConfig.defaults(), Long.MAX_VALUE);
    }

    /**
     * Accepts ({@code rdma_accept}): takes the queue pair from RESET or INIT to RTS, answers the
     * client, and waits until the connection is established.
     *
     * <p>A message of the client may arrive shortly before that. A device may report this as an
     * asynchronous event {@code COMM_EST}; see {@link #notifyEstablished()}.
     *
     * @param qp a queue pair of type RC, of {@link #deviceName()}; the connection closes it. If
     *     this fails it stays open, in state ERR
     * @param config what to ask for, and up to 196 bytes to send along
     * @param timeout how long to wait for the client
     * @return the connection; it may be {@linkplain RdmaConnection#isDisconnected over} already
     * @throws InterruptedException if the thread was interrupted; the client is rejected
     * @throws IllegalArgumentException if the queue pair is of another type or device, there is too
     *     much private data, or the timeout is negative; nothing has changed
     * @throws io.loomverbs.ClosedException if the request is closed before or meanwhile, or the
     *     queue pair is closed
     * @throws IllegalStateException if the request was answered before, or the queue pair is
     *     connected
     * @throws ConnectionTimeoutException if the client did not confirm in time
     * @throws RejectedException if the client has rejected the answer
     * @throws ConnectionException if the client has gone meanwhile, the device has less depth than
     *     {@code config} asks for, or it is an iWARP device
     * @throws io.loomverbs.VerbsException if the device refuses a step of the queue pair
     */
    public RdmaConnection accept(QueuePair qp, ConnectionConfig config, Duration timeout)
            throws InterruptedException {
        return accept(qp, config, Checks.nanos("timeout", timeout));
    }

    private RdmaConnection accept(QueuePair qp, ConnectionConfig config, long nanos)
            throws InterruptedException {
        Checks.notNull(qp, "qp");
        Checks.notNull(config, "config");
        config.checkPrivateData(Cm.ACCEPT_PRIVATE_DATA, "an answer");
        refuseIwarp();
        return attempt.connect(qp, state -> setUp(qp, state, config, nanos));
    }

    private RdmaConnection setUp(QueuePair qp, QpState state, ConnectionConfig config, long nanos)
            throws InterruptedException {
        Endpoint endpoint = attempt.endpoint();
        QpSteps.setAckTimeout(endpoint.ops(), config);
        QpSteps.initToConnect(endpoint.ops(), qp, state);
        QpSteps.connect(endpoint.ops(), qp, config);
        int rc = endpoint.ops().accept(config.of(qp));
        if (rc != 0) {
            throw endpoint.failure("rdma_accept", rc, this + " was not accepted with " + config);
        }
        CmEvent event = endpoint.take(nanos);
        if (event == null) {
            throw new ConnectionTimeoutException(
                    "rdma_accept",
                    this + " was accepted, but not confirmed within " + Duration.ofNanos(nanos));
        }
        // The peer may have left before this side learned that the connection was established.
        if (event.type() != Cm.EVENT_ESTABLISHED && event.type() != Cm.EVENT_DISCONNECTED) {
            throw endpoint.failure("rdma_accept", event);
        }
        return RdmaConnection.of(attempt, qp, request);
    }

    /** A listener at an address of all devices may get a request over any of them. */
    private void refuseIwarp() {
        QpSteps.refuseIwarp(attempt.endpoint().ops(), "rdma_accept", toString());
    }

    /**
     * Tells the connection manager that a message has arrived ({@code rdma_notify} with {@code
     * COMM_EST}): the client's confirmation was lost, and {@link #accept} need not wait for it. To
     * be called by another thread while one waits there. Does nothing if the connection is
     * established, or is not accepted yet.
     */
    public void notifyEstablished() {
        int rc = attempt.endpoint().ops().notifyEstablished();
        if (rc != 0 && rc != -EISCONN && rc != -Errno.EINVAL) {
            throw ConnectionException.refused("rdma_notify", rc, toString());
        }
    }

    /** Rejects the request without private data, as {@link #reject(byte[])} does. */
    public void reject() {
        reject(new byte[0]);
    }

    /**
     * Rejects the request ({@code rdma_reject}): the client gets a {@link RejectedException}. It is
     * no error if the client has gone meanwhile.
     *
     * @param privateData up to 148 bytes for the client, which sees them padded with zeros
     * @throws IllegalArgumentException if there are more
     * @throws io.loomverbs.ClosedException if the request is closed
     * @throws IllegalStateException if it was answered before
     * @throws ConnectionException if rdma_cm has failed
     */
    public void reject(byte[] privateData) {
        attempt.reject(privateData, Cm.REJECT_PRIVATE_DATA);
    }

    /**
     * Rejects the request if it was not answered. A connection that was made of it is not affected.
     * A thread that is accepting it gets a {@link io.loomverbs.ClosedException}. Closing again does
     * nothing.
     */
    @Override
    public void close() {
        attempt.close();
    }

    /** Both addresses. */
    @Override
    public String toString() {
        return attempt.endpoint().toString();
    }
}
