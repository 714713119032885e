package io.loomverbs;

/**
 * The object was closed, before the call or while it waited.
 *
 * @since 0.1.0
 */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param closed what is closed; its text begins the message
     */
    public ClosedException(Object closed) {
        super(Arguments.notNull(closed, "closed") + " is closed");
    }
}
