package io.loomverbs.cm;

import io.loomverbs.internal.cm.Cm;

/**
 * The peer has rejected the connection, or its host did so on its behalf.
 *
 * @since 0.1.0
 */
public final class RejectedException extends ConnectionException {
    private static final long serialVersionUID = 1L;

    /** The number of the reason. */
    private final int reason;

    /** The peer's private data, with its padding. */
    @SuppressWarnings("serial") // an array
    private final byte[] privateData;

    RejectedException(String call, int reason, byte[] privateData, String detail) {
        this(call, reason, privateData, detail, Cm.EVENT_REJECTED, Cm.reason(reason));
    }

    private RejectedException(
            String call, int reason, byte[] privateData, String detail, int event, String meaning) {
        super(call, reason < 0 ? -reason : 0, detail + ": " + Cm.event(event) + ": " + meaning);
        this.reason = reason;
        this.privateData = privateData.clone();
    }

    /** The refusal of a request for datagrams. */
    static RejectedException ofDatagrams(
            String call, int status, byte[] privateData, String detail) {
        String meaning = Cm.sidrStatus(status);
        return new RejectedException(
                call, status, privateData, detail, Cm.EVENT_UNREACHABLE, meaning);
    }

    /**
     * The reason, as the number that the connection manager of InfiniBand and RoCE uses: 28 for a
     * peer whose program has rejected the request, 8 if nothing listens on the port, 10 for a
     * connection that is stale. For datagrams, 2 for a peer whose program has rejected the request,
     * and 1 if nothing listens on the port.
     *
     * @return the {@code status} of the event
     */
    public int reason() {
        return reason;
    }

    /**
     * The private data that the peer passed to {@link ConnectRequest#reject(byte[])} or {@link
     * UdRequest#reject}.
     *
     * @return a copy, on InfiniBand and RoCE padded with zeros, to 148 bytes or 136; empty if there
     *     is none
     */
    public byte[] privateData() {
        return privateData.clone();
    }
}
