package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/** The reason why no more events come; each thread gets its own exception for it. */
record QueueEnd(@Nullable Throwable cause) {
    /** Made in advance, so that a close cannot fail for lack of memory. */
    private static final QueueEnd CLOSED = new QueueEnd(null);

    static QueueEnd of(@Nullable Throwable cause) {
        return cause == null ? CLOSED : new QueueEnd(cause);
    }

    EventQueueEndedException exception() {
        return new EventQueueEndedException(cause);
    }
}
