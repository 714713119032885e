package io.loomverbs.internal.device;

/**
 * A shared receive queue: {@code struct ibv_srq}. Operations return a negative errno on failure.
 */
public interface SrqOps {
    /**
     * {@code ibv_modify_srq}: {@code mask} says which fields of {@code attr} count. On failure
     * nothing has changed.
     */
    default int modify(SrqAttr attr, int mask) {
        return -Errno.EOPNOTSUPP;
    }

    /**
     * {@code ibv_query_srq}.
     *
     * @throws DeviceException if it fails
     */
    SrqAttr query();

    /**
     * {@code ibv_post_srq_recv} of the chain that starts at {@code first}: a {@link PostResult}.
     * Without memory, as {@link QpOps#postSend}. Any thread; never blocks.
     */
    long postRecv(RecvWr first);

    /** Whether the queue refuses calls because it was destroyed. */
    default boolean isDestroyed() {
        return false;
    }

    /** {@code ibv_destroy_srq}; {@code -EBUSY} while queue pairs use it. */
    int destroy();
}
