package io.loomverbs.internal.device;

import io.loomverbs.internal.event.EventFeed;

import org.jspecify.annotations.Nullable;

/** A completion channel: {@code struct ibv_comp_channel}. */
public interface ChannelOps {
    /** {@code ibv_destroy_comp_channel}: 0 or a negative errno. */
    int destroy();

    /** The channel's file descriptor; -1 if the device raises the events itself. */
    default int fd() {
        return -1;
    }

    /**
     * The feed from which waiting threads fetch the events; null if the device raises them itself.
     */
    default @Nullable EventFeed feed() {
        return null;
    }
}
