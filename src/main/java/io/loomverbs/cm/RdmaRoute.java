package io.loomverbs.cm;

import io.loomverbs.Access;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * The way to a server, found by {@link ConnectionManager#resolve}. It names the device and the port
 * that lead there, so that the queue pair is created on that device. It serves for one attempt to
 * connect.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class RdmaRoute implements AutoCloseable {
    private final Attempt attempt;

    RdmaRoute(Endpoint endpoint, String device) {
        this.attempt = new Attempt(endpoint, device);
    }

    /**
     * The address that the connection will have here.
     *
     * @return address and port
     */
    public InetSocketAddress localAddress() {
        return attempt.local();
    }

    /**
     * The server's address.
     *
     * @return address and port
     */
    public InetSocketAddress peerAddress() {
        return attempt.peer();
    }

    /**
     * The device that leads to the server: the queue pair must be of this one.
     *
     * @return the name of the device, as {@link io.loomverbs.Device#name()}
     */
    public String deviceName() {
        return attempt.device();
    }

    /**
     * The port of the device that leads to the server.
     *
     * @return the port, from 1 on
     */
    public int port() {
        return attempt.port();
    }

    /**
     * Initializes a queue pair for this route, from RESET to INIT, so that receives can be posted
     * before the server may send.
     *
     * @param qp a queue pair of type RC, of {@link #deviceName()}
     * @param access what the server may do over the queue pair, if the region allows it, too; none
     *     to allow only messages
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the route or the queue pair is closed
     * @throws IllegalStateException if the route was used, or the queue pair is connected
     * @throws io.loomverbs.VerbsException if the device refuses
     */
    public void init(QueuePair qp, Access... access) {
        attempt.init(qp, access);
    }

    /**
     * Connects with {@linkplain ConnectionConfig#defaults() defaults}, and waits without a time
     * limit: as long as the server does not answer, unless another thread {@linkplain #close
     * closes} the route or interrupts this one.
     *
     * @param qp as in {@link #connect(QueuePair, ConnectionConfig, Duration)}
     * @return the connection
     * @throws InterruptedException if the thread was interrupted
     */
    public RdmaConnection connect(QueuePair qp) throws InterruptedException {
        return connect(qp, ConnectionConfig.defaults(), Long.MAX_VALUE);
    }

    /**
     * Connects with {@linkplain ConnectionConfig#defaults() defaults}.
     *
     * @param qp as in {@link #connect(QueuePair, ConnectionConfig, Duration)}
     * @param timeout how long to wait for the server
     * @return the connection
     * @throws InterruptedException if the thread was interrupted
     */
    public RdmaConnection connect(QueuePair qp, Duration timeout) throws InterruptedException {
        return connect(qp, ConnectionConfig.defaults(), timeout);
    }

    /**
     * Connects ({@code rdma_connect}): asks the server, waits for its answer, takes the queue pair
     * from RESET or INIT to RTS, and confirms ({@code rdma_establish}).
     *
     * @param qp a queue pair of type RC, of {@link #deviceName()}; the connection closes it. If
     *     this fails it stays open, in state ERR
     * @param config what to ask for, and up to 56 bytes to send along
     * @param timeout how long to wait for the server. rdma_cm itself sets no limit to a server that
     *     does not answer
     * @return the connection
     * @throws InterruptedException if the thread was interrupted; the attempt was given up
     * @throws IllegalArgumentException if the queue pair is of another type or device, there is too
     *     much private data, or the timeout is negative; nothing has changed
     * @throws io.loomverbs.ClosedException if the route is closed before or meanwhile, or the queue
     *     pair is closed
     * @throws IllegalStateException if the route was used before, or the queue pair is connected
     * @throws ConnectionTimeoutException if the server did not answer in time
     * @throws RejectedException if the server, or its host, has refused
     * @throws ConnectionException if the server cannot be reached, or has gone meanwhile, or the
     *     device has less depth than {@code config} asks for
     * @throws io.loomverbs.VerbsException if the device refuses a step of the queue pair
     */
    public RdmaConnection connect(QueuePair qp, ConnectionConfig config, Duration timeout)
            throws InterruptedException {
        return connect(qp, config, Checks.nanos("timeout", timeout));
    }

    private RdmaConnection connect(QueuePair qp, ConnectionConfig config, long nanos)
            throws InterruptedException {
        Checks.notNull(qp, "qp");
        Checks.notNull(config, "config");
        config.checkPrivateData(Cm.CONNECT_PRIVATE_DATA, "a request");
        return attempt.connect(qp, state -> setUp(qp, state, config, nanos));
    }

    private RdmaConnection setUp(QueuePair qp, QpState state, ConnectionConfig config, long nanos)
            throws InterruptedException {
        Endpoint endpoint = attempt.endpoint();
        QpSteps.setAckTimeout(endpoint.ops(), config);
        QpSteps.initToConnect(endpoint.ops(), qp, state);
        int rc = endpoint.ops().connect(config.of(qp));
        if (rc != 0) {
            throw endpoint.failure("rdma_connect", rc, this + " with " + config);
        }
        CmEvent event = endpoint.take(nanos);
        if (event == null) {
            throw new ConnectionTimeoutException(
                    "rdma_connect", "no answer within " + Duration.ofNanos(nanos) + ": " + this);
        }
        if (event.type() != Cm.EVENT_CONNECT_RESPONSE) {
            throw endpoint.failure("rdma_connect", event);
        }
        QpSteps.connect(endpoint.ops(), qp, config);
        rc = endpoint.ops().establish();
        if (rc != 0) {
            throw endpoint.failure("rdma_establish", rc, this + " was not established");
        }
        return RdmaConnection.of(attempt, qp, event);
    }

    /**
     * Gives up the route. A connection that was made over it is not affected. A thread that is
     * connecting gets a {@link io.loomverbs.ClosedException}. Closing again does nothing.
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
