package io.loomverbs.cm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.device.Errno;

/**
 * A connection could not be made, or an address cannot be used: a call of rdma_cm was refused, or
 * its event reported a failure.
 *
 * @since 0.1.0
 */
public class ConnectionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the call. */
    private final String call;

    /** The error number, positive; 0 if there is none. */
    private final int errno;

    ConnectionException(String call, int errno, String detail) {
        super(call + ": " + (errno > 0 ? Errno.name(errno) + ": " : "") + detail);
        this.call = call;
        this.errno = errno;
    }

    /** The exception for a refused call. {@code rc} is a negative errno. */
    static ConnectionException refused(String call, int rc, String detail) {
        return new ConnectionException(call, -rc, detail + CmCauses.of(call, -rc));
    }

    /** The exception for an event that ends an attempt. */
    static ConnectionException of(String call, int event, int status, String detail) {
        int errno = status < 0 ? -status : 0;
        return new ConnectionException(
                call, errno, detail + ": " + Cm.event(event) + CmCauses.ofEvent(event, errno));
    }

    /**
     * The call that failed, or whose event reported the failure.
     *
     * @return its name in librdmacm, such as {@code rdma_resolve_addr}
     */
    public String call() {
        return call;
    }

    /**
     * The error number, as Linux has it.
     *
     * @return a positive errno, or 0 if there is none
     */
    public int errno() {
        return errno;
    }

    /**
     * The symbolic name of the error number.
     *
     * @return a name such as {@code EADDRINUSE}; empty if there is none
     */
    public String errnoName() {
        return errno > 0 ? Errno.name(errno) : "";
    }
}
