package io.loomverbs.blocking;

import io.loomverbs.WcStatus;

/**
 * A request has failed, or was flushed because an earlier one has failed. The {@link Requests}
 * execute no more requests.
 *
 * @since 0.1.0
 */
public final class RequestFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The status of the request that broke the queue pair. */
    private final WcStatus status;

    /** The value of {@link #status} in verbs. */
    private final int statusNumber;

    /** The device's own number. */
    private final int vendorError;

    /** The status of the caller's own request. */
    private final WcStatus ownStatus;

    RequestFailedException(String message, Breakage breakage, WcStatus ownStatus) {
        super(message, breakage.cause());
        this.status = breakage.status();
        this.statusNumber = breakage.statusNumber();
        this.vendorError = breakage.vendorError();
        this.ownStatus = ownStatus;
    }

    /**
     * The status of the request that broke the queue pair: of this one, or of an earlier one
     * because of which this one was flushed. The message has its {@linkplain WcStatus#hint() hint}.
     *
     * @return the status; {@link WcStatus#WR_FLUSH_ERR} if no request broke it, but the program or
     *     a disconnect
     */
    public WcStatus status() {
        return status;
    }

    /**
     * {@link #status()} as a number: that of {@code enum ibv_wc_status}.
     *
     * @return the number, also of a status that is {@link WcStatus#OTHER}
     */
    public int statusNumber() {
        return statusNumber;
    }

    /**
     * The device's own number for the error of {@link #status()}.
     *
     * @return 0 if there is none
     */
    public int vendorError() {
        return vendorError;
    }

    /**
     * Whether this request was not at fault: it was flushed, or refused, after another had failed.
     * The device may have executed it all the same.
     *
     * @return false if {@link #status()} is that of this request
     */
    public boolean isFlushed() {
        return ownStatus == WcStatus.WR_FLUSH_ERR;
    }
}
