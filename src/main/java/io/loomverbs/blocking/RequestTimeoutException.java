package io.loomverbs.blocking;

import org.jspecify.annotations.Nullable;

/**
 * A request was not done within the time of {@link RequestsConfig#timeout()}. The queue pair is
 * usable.
 *
 * @since 0.1.0
 */
public final class RequestTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The request that is still outstanding; null if it was taken back before it was posted. */
    private final transient @Nullable Pending request;

    RequestTimeoutException(String message, @Nullable Pending request) {
        super(message);
        this.request = request;
    }

    /**
     * The request, to be waited for further. Its memory belongs to it until it is done.
     *
     * @return the request; null if it was not posted, because the send queue was full all the time,
     *     or if no message came in time
     */
    public @Nullable Pending request() {
        return request;
    }
}
