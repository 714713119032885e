package io.loomverbs.internal.device;

/** An address handle: {@code struct ibv_ah}. */
public interface AhOps {
    /** Where libibverbs' structure is, for the work requests that name it; 0 if there is none. */
    default long address() {
        return 0;
    }

    /** {@code ibv_destroy_ah}: 0 or a negative errno. */
    int destroy();
}
