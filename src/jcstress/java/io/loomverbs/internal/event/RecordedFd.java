package io.loomverbs.internal.event;

/** A descriptor that says what became of it. Calls come under the lock of what it belongs to. */
public final class RecordedFd implements ReadyFd {
    private volatile boolean readable;
    private volatile boolean raised;
    private volatile boolean closed;
    private volatile boolean late;

    @Override
    public int number() {
        return 0;
    }

    @Override
    public void raise() {
        late |= closed;
        readable = true;
        raised = true;
    }

    @Override
    public void lower() {
        late |= closed;
        readable = false;
    }

    @Override
    public void close() {
        late |= closed;
        closed = true;
    }

    /** Has {@link #wasRaised} look at what comes from now on. */
    public void forget() {
        raised = false;
    }

    public boolean wasRaised() {
        return raised;
    }

    /** Its state; "late" if a call came after its close. */
    public String text() {
        if (closed) {
            return late ? "late" : "closed";
        }
        return readable ? "readable" : "silent";
    }
}
