package io.loomverbs.blocking;

/**
 * The thread was interrupted while it waited for a request, which is still under way. The queue
 * pair is usable, and the memory belongs to the request until it is done.
 *
 * @since 0.1.0
 */
public final class RequestInterruptedException extends InterruptedException {
    private static final long serialVersionUID = 1L;

    /** The request that is still outstanding. */
    private final transient Pending request;

    RequestInterruptedException(Pending request) {
        super(request + " is still under way");
        this.request = request;
    }

    /**
     * The request, to be waited for further.
     *
     * @return the request
     */
    public Pending request() {
        return request;
    }
}
