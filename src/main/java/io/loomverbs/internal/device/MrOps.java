package io.loomverbs.internal.device;

/** A memory region: {@code struct ibv_mr}. */
public interface MrOps {
    int lkey();

    int rkey();

    /** The {@code struct ibv_mr}; 0 if there is none. */
    default long address() {
        return 0;
    }

    /** {@code ibv_dereg_mr}: 0 or a negative errno. */
    int dereg();
}
