package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/** Why no more events come; thrown to each thread as an exception of its own. */
record QueueEnd(@Nullable Throwable cause) {
    EventQueueEndedException exception() {
        return new EventQueueEndedException(cause);
    }
}
