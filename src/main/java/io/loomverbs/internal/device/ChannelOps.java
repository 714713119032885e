package io.loomverbs.internal.device;

/** A completion channel: {@code struct ibv_comp_channel}. */
public interface ChannelOps {
    /** {@code ibv_destroy_comp_channel}: 0 or a negative errno. */
    int destroy();
}
