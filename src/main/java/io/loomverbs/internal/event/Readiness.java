package io.loomverbs.internal.event;

/**
 * Keeps a file descriptor readable while something can be taken without waiting. All methods are
 * called under the lock that guards what is taken, so no call reaches a number that was closed.
 */
public final class Readiness {
    private final ReadyFd fd;
    private boolean raised;

    /**
     * @param fd a descriptor that is not raised, which this closes
     */
    public Readiness(ReadyFd fd) {
        this.fd = fd;
    }

    /** The descriptor's number. */
    public int number() {
        return fd.number();
    }

    /** Something can be taken. */
    public void raise() {
        if (!raised) {
            fd.raise();
            raised = true;
        }
    }

    /**
     * Nothing is left to take. An Error, such as lack of stack, leaves it raised: a thread that
     * then finds nothing calls this again. It must not hide what the caller has just taken.
     */
    public void lower() {
        if (raised) {
            try {
                fd.lower();
                raised = false;
            } catch (Error e) {
                // The descriptor is readable once more than it needs to be.
            }
        }
    }

    /** Ends it: no other call may follow. */
    public void close() {
        fd.close();
    }
}
