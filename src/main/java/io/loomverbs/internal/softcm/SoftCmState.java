package io.loomverbs.internal.softcm;

/** The state of an id of the embedded manager. */
enum SoftCmState {
    IDLE,
    BOUND,
    LISTENING,
    ADDR_RESOLVED,
    ROUTE_RESOLVED,
    /** A client that has no answer yet. */
    CONNECTING,
    /** A server's id whose request is not answered yet. */
    REQUESTED,
    /** A server's id that waits for the client's {@code rdma_establish}. */
    ACCEPTED,
    /** A client that was accepted, and must establish. */
    RESPONDED,
    CONNECTED,
    /** Has called {@code rdma_disconnect} and waits for the peer's answer. */
    DISCONNECTING,
    /** The peer has disconnected, and this side has not answered yet. */
    LEFT,
    /** Over: disconnected by both, rejected, or destroyed. */
    OVER
}
