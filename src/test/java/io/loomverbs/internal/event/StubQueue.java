package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A queue without threads that counts how often it is told of its end. */
public final class StubQueue extends LedQueue {
    /** What the next call of {@link #end} meets before it does anything; null for nothing. */
    public @Nullable Error next;

    public int told;

    @Override
    public List<Waiting> waiting() {
        return List.of();
    }

    @Override
    void promote(Leadership leaderless) {}

    @Override
    public void end(@Nullable Throwable cause) {
        Error met = next;
        if (met != null) {
            next = null;
            throw met;
        }
        told++;
    }
}
