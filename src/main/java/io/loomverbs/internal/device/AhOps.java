package io.loomverbs.internal.device;

/** An address handle: {@code struct ibv_ah}. */
public interface AhOps {
    /** {@code ibv_destroy_ah}: 0 or a negative errno. */
    int destroy();
}
