package io.loomverbs.cm;

import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * The way to a server of datagrams, found by {@link ConnectionManager#resolveUd}. It names the
 * device and the port that lead there. It serves for one question.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class UdRoute implements AutoCloseable {
    private final Attempt attempt;

    UdRoute(Endpoint endpoint, String device) {
        this.attempt = new Attempt(endpoint, device);
    }

    /**
     * The address that the server sees.
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
     * Takes a queue pair from RESET or INIT to RTS, with the qkey that servers of the connection
     * manager use, so that the server can answer. To send to several servers, this is needed once.
     *
     * @param qp a queue pair of type UD, of {@link #deviceName()}
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the route or the queue pair is closed
     * @throws IllegalStateException if the route was used, or the queue pair is in another state
     * @throws io.loomverbs.VerbsException if the device refuses
     */
    public void init(QueuePair qp) {
        attempt.activate(qp);
    }

    /**
     * Asks the server where to send ({@code rdma_connect}), and waits for its answer. Afterwards
     * there is no connection between the two.
     *
     * @param privateData up to 180 bytes to send along, which the server sees padded with zeros
     * @param timeout how long to wait for the server
     * @return where to send
     * @throws InterruptedException if the thread was interrupted; the attempt was given up
     * @throws IllegalArgumentException if there is too much private data, or the timeout is
     *     negative; nothing has changed
     * @throws io.loomverbs.ClosedException if the route is closed before or meanwhile
     * @throws IllegalStateException if the route was used before
     * @throws ConnectionTimeoutException if the server did not answer in time
     * @throws RejectedException if the server, or its host, has refused
     * @throws ConnectionException if the server cannot be reached
     */
    public UdPeer connect(byte[] privateData, Duration timeout) throws InterruptedException {
        Checks.privateData("privateData", privateData, Cm.CONNECT_UD_PRIVATE_DATA, "a request");
        long nanos = Checks.nanos("timeout", timeout);
        attempt.begin();
        try {
            return ask(attempt.endpoint(), privateData, nanos);
        } finally {
            attempt.close();
        }
    }

    private UdPeer ask(Endpoint endpoint, byte[] privateData, long nanos)
            throws InterruptedException {
        int rc =
                endpoint.ops()
                        .connect(
                                ConnectionConfig.defaults()
                                        .withPrivateData(privateData)
                                        .ofDatagrams(0));
        if (rc != 0) {
            throw endpoint.failure("rdma_connect", rc, toString());
        }
        CmEvent event = endpoint.take(nanos);
        if (event == null) {
            throw new ConnectionTimeoutException(
                    "rdma_connect", "no answer within " + Duration.ofNanos(nanos) + ": " + this);
        }
        if (event.type() == Cm.EVENT_ESTABLISHED && event.ud() != null) {
            return UdPeer.of(event);
        }
        if (event.type() == Cm.EVENT_UNREACHABLE && event.status() > 0) {
            throw RejectedException.ofDatagrams(
                    "rdma_connect", event.status(), event.privateData(), toString());
        }
        throw endpoint.failure("rdma_connect", event);
    }

    /**
     * Gives up the route. A thread that is asking gets a {@link io.loomverbs.ClosedException}.
     * Closing again does nothing.
     */
    @Override
    public void close() {
        attempt.close();
    }

    /** The server's address. */
    @Override
    public String toString() {
        return attempt.endpoint().toString();
    }
}
