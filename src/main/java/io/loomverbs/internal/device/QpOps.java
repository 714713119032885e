package io.loomverbs.internal.device;

/** A queue pair: {@code struct ibv_qp}. Operations return a negative errno on failure. */
public interface QpOps {
    int qpNum();

    /** The capacities that were granted, at least those asked for. */
    QpCap cap();

    /**
     * {@code ibv_modify_qp}: {@code mask} says which fields of {@code attr} count. The transition
     * is checked by the device; on failure nothing has changed.
     */
    int modify(QpAttr attr, int mask);

    /** {@code ibv_query_qp}: fills in everything. */
    int query(QpAttr attr);

    /**
     * {@code ibv_post_send} of the chain that starts at {@code first}: a {@link PostResult}. What
     * the requests hold has been read when this returns. If there is no memory for a copy of the
     * chain, this throws an {@code OutOfMemoryError}, and nothing of it is posted. Any thread;
     * allocates nothing once the queue has been as full before; never blocks.
     */
    long postSend(SendWr first);

    /**
     * {@code ibv_post_recv} of the chain that starts at {@code first}: a {@link PostResult}.
     * Without memory, as {@link #postSend}.
     */
    long postRecv(RecvWr first);

    /**
     * {@code ibv_bind_mw} of the window that a request of opcode BIND_MW names; the device chooses
     * the key. 0 or a negative errno.
     */
    default int bindMw(SendWr bind) {
        return -Errno.EOPNOTSUPP;
    }

    /** {@code ibv_attach_mcast}; the GID is two big-endian halves. Attaching again does nothing. */
    default int attachMcast(long gidHigh, long gidLow, int lid) {
        return -Errno.EOPNOTSUPP;
    }

    /** {@code ibv_detach_mcast}; {@code -EINVAL} if it is not attached. */
    default int detachMcast(long gidHigh, long gidLow, int lid) {
        return -Errno.EOPNOTSUPP;
    }

    /** Whether the queue pair refuses calls because it was destroyed. */
    default boolean isDestroyed() {
        return false;
    }

    /** {@code ibv_destroy_qp}: completions of it that were not polled stay in their CQs. */
    int destroy();
}
