package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * What kind of work request was completed ({@code enum ibv_wc_opcode}).
 *
 * @since 0.1.0
 */
public enum WcOpcode {
    /** A SEND. */
    SEND,
    /** An RDMA WRITE. */
    RDMA_WRITE,
    /** An RDMA READ. */
    RDMA_READ,
    /** An atomic compare-and-swap. */
    COMP_SWAP,
    /** An atomic fetch-and-add. */
    FETCH_ADD,
    /** A bind of a memory window. */
    BIND_MW,
    /** A local invalidation. */
    LOCAL_INV,
    /** A receive, consumed by a SEND. */
    RECV,
    /** A receive, consumed by an RDMA WRITE with immediate. */
    RECV_RDMA_WITH_IMM,
    /**
     * A kind that this version of loomverbs does not know: see {@link
     * WorkCompletions#opcodeNumber}.
     */
    OTHER;

    static WcOpcode of(int value) {
        return switch (value) {
            case Ibv.WC_SEND -> SEND;
            case Ibv.WC_RDMA_WRITE -> RDMA_WRITE;
            case Ibv.WC_RDMA_READ -> RDMA_READ;
            case Ibv.WC_COMP_SWAP -> COMP_SWAP;
            case Ibv.WC_FETCH_ADD -> FETCH_ADD;
            case Ibv.WC_BIND_MW -> BIND_MW;
            case Ibv.WC_LOCAL_INV -> LOCAL_INV;
            case Ibv.WC_RECV -> RECV;
            case Ibv.WC_RECV_RDMA_WITH_IMM -> RECV_RDMA_WITH_IMM;
            default -> OTHER;
        };
    }
}
