package io.loomverbs.internal.event;

/**
 * Keeps a file descriptor readable while something can be taken without waiting. All methods are
 * called under the lock that guards what is taken, so no call reaches a number that was closed.
 */
public final class Readiness {
    private final ReadyFd fd;
    private boolean raised;

    private Readiness(ReadyFd fd) {
        this.fd = fd;
    }

    /**
     * Keeps this descriptor readable.
     *
     * @param fd a descriptor that is not raised, which this closes, also if there is no memory
     */
    public static Readiness of(ReadyFd fd) {
        try {
            return new Readiness(fd);
        } catch (Error e) {
            fd.close();
            throw e;
        }
    }

    /** The descriptor's number. */
    public int number() {
        return fd.number();
    }

    /**
     * Makes the descriptor readable: something can be taken. An Error, such as lack of memory, may
     * be temporary: this tries again, since nothing else shows the event. If the Error persists,
     * the descriptor stays lowered until the next call: an Error must not keep the caller from
     * waking threads that were given something.
     */
    public void raise() {
        for (int tries = 0; !raised && tries < LedQueue.MOST_TRIES; tries++) {
            try {
                fd.raise();
                raised = true;
            } catch (Error e) {
                // Again, or with the next event.
            }
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
