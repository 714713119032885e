package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/**
 * No more events come from a queue: it was closed (no cause) or has failed (the cause). Or this
 * thread cannot wait for them now, though another one may be able to (the cause).
 */
public final class EventQueueEndedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public EventQueueEndedException(@Nullable Throwable cause) {
        super(cause == null ? "closed" : "failed", cause, false, false);
    }
}
