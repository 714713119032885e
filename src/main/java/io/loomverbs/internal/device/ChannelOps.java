package io.loomverbs.internal.device;

import io.loomverbs.internal.event.EventFeed;

import org.jspecify.annotations.Nullable;

/** A completion channel: {@code struct ibv_comp_channel}. */
public interface ChannelOps {
    /** {@code ibv_destroy_comp_channel}: 0 or a negative errno. */
    int destroy();

    /** The channel's file descriptor. */
    default int fd() {
        throw new UnsupportedOperationException(
                "this device hands its events over itself: its channels have no file descriptor");
    }

    /** What has its events fetched by those who wait; null if the device raises them by itself. */
    default @Nullable EventFeed feed() {
        return null;
    }
}
