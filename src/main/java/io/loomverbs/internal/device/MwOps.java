package io.loomverbs.internal.device;

/** A memory window: {@code struct ibv_mw}. */
public interface MwOps {
    /** The key after the last bind that was posted, or the one that was set since. */
    int rkey();

    /** Sets the key, as a C program sets {@code mw->rkey}; does nothing once it is deallocated. */
    void rkey(int rkey);

    /** The {@code struct ibv_mw}; 0 if there is none. */
    default long address() {
        return 0;
    }

    /** {@code ibv_dealloc_mw}: unbinds it first; 0 or a negative errno. */
    int dealloc();
}
