package io.loomverbs;

/** The object was closed, before the call or while it waited. */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    ClosedException(Object closed) {
        super(closed + " is closed");
    }
}
