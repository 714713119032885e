package io.loomverbs.cm;

import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.device.Errno;

import java.net.InetSocketAddress;

/**
 * A client's question where to send its datagrams, received by {@link UdListener#accept()}. It is
 * answered once: with a queue pair, which may serve any number of clients, or by a rejection;
 * closing it rejects it. Afterwards there is no connection between the two.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class UdRequest implements AutoCloseable {
    private final Attempt attempt;
    private final byte[] privateData;

    private UdRequest(Attempt attempt, CmEvent request) {
        this.attempt = attempt;
        this.privateData = request.privateData();
    }

    static UdRequest of(CmIdOps id, CmEvent request) {
        return new UdRequest(Attempt.incoming("request for datagrams", id), request);
    }

    /**
     * The address that the client sent the request to.
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
     * @return a copy, on InfiniBand and RoCE padded with zeros to 180 bytes
     */
    public byte[] privateData() {
        return privateData.clone();
    }

    /**
     * Takes a queue pair from RESET or INIT to RTS, with the qkey that clients of the connection
     * manager use. A queue pair that serves several clients needs this once; or none, if it was
     * {@linkplain QueuePair#activate activated} with that qkey, {@code 0x01234567}.
     *
     * @param qp a queue pair of type UD, of {@link #deviceName()}
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the request or the queue pair is closed
     * @throws IllegalStateException if the request was answered, or the queue pair is in another
     *     state
     * @throws io.loomverbs.VerbsException if the device refuses
     */
    public void init(QueuePair qp) {
        attempt.activate(qp);
    }

    /**
     * Answers with the number of a queue pair ({@code rdma_accept}). Does not wait: no event says
     * that the answer has arrived. It is no error if the client has gone meanwhile.
     *
     * @param qp a queue pair of type UD, of {@link #deviceName()}, with receives posted
     * @param privateData up to 136 bytes for the client, which sees them padded with zeros
     * @throws IllegalArgumentException if the queue pair is of another type or device, or there is
     *     too much private data; nothing has changed
     * @throws io.loomverbs.ClosedException if the request is closed
     * @throws IllegalStateException if it was answered before
     * @throws ConnectionException if rdma_cm has failed
     */
    public void accept(QueuePair qp, byte[] privateData) {
        Checks.notNull(qp, "qp");
        Checks.notNull(privateData, "privateData");
        attempt.ensureOpen();
        QpSteps.checkUd(qp, attempt.device());
        Checks.privateData("privateData", privateData, Cm.ACCEPT_UD_PRIVATE_DATA, "an answer");
        attempt.begin();
        try {
            int rc =
                    attempt.endpoint()
                            .ops()
                            .accept(
                                    ConnectionConfig.defaults()
                                            .withPrivateData(privateData)
                                            .ofDatagrams(qp.qpNum()));
            if (rc != 0 && rc != -Errno.EINVAL) {
                throw ConnectionException.refused("rdma_accept", rc, this + " was not accepted");
            }
        } finally {
            attempt.close();
        }
    }

    /**
     * Rejects the request ({@code rdma_reject}): the client gets a {@link RejectedException}. It is
     * no error if the client has gone meanwhile.
     *
     * @param privateData up to 136 bytes for the client, which sees them padded with zeros
     * @throws IllegalArgumentException if there are more
     * @throws io.loomverbs.ClosedException if the request is closed
     * @throws IllegalStateException if it was answered before
     * @throws ConnectionException if rdma_cm has failed
     */
    public void reject(byte[] privateData) {
        attempt.reject(privateData, Cm.ACCEPT_UD_PRIVATE_DATA);
    }

    /** Rejects the request if it was not answered. Closing again does nothing. */
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
