package io.loomverbs.cm;

import io.loomverbs.internal.device.Errno;

/**
 * The peer did not answer in time. The attempt was given up: a request that arrives later is
 * refused.
 *
 * @since 0.1.0
 */
public final class ConnectionTimeoutException extends ConnectionException {
    private static final long serialVersionUID = 1L;

    ConnectionTimeoutException(String call, String detail) {
        super(call, Errno.ETIMEDOUT, detail);
    }
}
