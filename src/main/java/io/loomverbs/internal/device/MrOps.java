package io.loomverbs.internal.device;

/** A memory region: {@code struct ibv_mr}. */
public interface MrOps {
    int lkey();

    int rkey();

    /** {@code ibv_dereg_mr}: 0 or a negative errno. */
    int dereg();
}
