package io.loomverbs;

/**
 * How a work request ended ({@code enum ibv_wc_status}), in the order of the values.
 *
 * @since 0.1.0
 */
public enum WcStatus {
    /** The request was executed. */
    SUCCESS(""),
    /** Local length error: a message does not fit in the receive buffer, or is too long to send. */
    LOC_LEN_ERR(
            "a message is longer than the receive posted for it, or than the port or the "
                    + "MTU allows; on UD a receive needs 40 bytes more, for the routing header"),
    /** Local operation error: the work request or the queue pair is inconsistent. */
    LOC_QP_OP_ERR(
            "the request does not suit the queue pair: an operation its type does not "
                    + "have, or an address handle that is closed; soft-RoCE also reports a wrong "
                    + "lkey like this; or the key of a LOCAL_INV is of no window of type 2"),
    /** Not used any more. */
    LOC_EEC_OP_ERR(Hints.NO_DEVICE_HAS_IT),
    /** Local protection error: a local key, its bounds or its access flags do not allow this. */
    LOC_PROT_ERR(
            "an entry's lkey, address or length is not inside an open region of the queue "
                    + "pair's protection domain, or the region lacks LOCAL_WRITE, which receives "
                    + "and the results of READs and atomics need"),
    /** The queue pair was in, or went to, the error state; the request was not executed. */
    WR_FLUSH_ERR(
            "the queue pair is in state ERR: an earlier completion shows why, unless "
                    + "modify took it there, or its CQ has overrun"),
    /** A memory window could not be bound. */
    MW_BIND_ERR(
            "the region lacks MW_BIND, or LOCAL_WRITE for a window with REMOTE_WRITE or "
                    + "REMOTE_ATOMIC, or is closed; a window of type 2 is bound already; or the "
                    + "window's key is not that of its last bind: see restoreRkey"),
    /** The peer sent an unexpected answer. */
    BAD_RESP_ERR(
            "the peer's answer does not match the request: are both ends connected to each other, "
                    + "with matching start PSNs?"),
    /** A WRITE with immediate could not be placed. */
    LOC_ACCESS_ERR(
            "a peer's WRITE with immediate named memory here that it may not write: check "
                    + "the region's key, bounds and REMOTE_WRITE"),
    /** The peer found the request invalid: a message too long, an operation not enabled. */
    REM_INV_REQ_ERR(
            "the peer's queue pair does not allow RDMA_READ, RDMA_WRITE or atomics: "
                    + "connect grants nothing unless asked, so give the peer's init or connect the "
                    + "access; or the message is longer than the peer's receive, its "
                    + "maxDestRdAtomic is less than maxRdAtomic here, the path MTUs differ, or the "
                    + "address of an atomic is not a multiple of 8"),
    /**
     * The peer's memory is not accessible: remote key, bounds or access flags do not allow this.
     */
    REM_ACCESS_ERR(
            "rkey, address and length are not inside an open region of the peer, of its queue"
                + " pair's protection domain, or the region was not registered with REMOTE_READ,"
                + " REMOTE_WRITE or REMOTE_ATOMIC; some devices also report a queue pair like this"
                + " that does not allow it: connect grants nothing unless asked"),
    /** The peer failed because of an error on its own side. */
    REM_OP_ERR(
            "the peer failed on its own side: the receive it has posted names memory that "
                    + "it may not write; on soft-RoCE also a message longer than that receive"),
    /** The peer did not answer any of the retries. */
    RETRY_EXC_ERR(
            "the peer does not answer: it is not yet in state RTR, is in ERR, or is gone; "
                    + "its address, qpNum or start PSN differs from its endpoint(); a port is "
                    + "down, or UDP port 4791 is blocked (RoCE version 2)"),
    /** The peer had no receive request ready for any of the retries. */
    RNR_RETRY_EXC_ERR(
            "the peer has posted no receive in time: it should init, post receives and "
                    + "only then send its endpoint, and keep enough posted; rnrRetry 7 retries "
                    + "without end"),
    /** Not used any more. */
    LOC_RDD_VIOL_ERR(Hints.NO_DEVICE_HAS_IT),
    /** Not used any more. */
    REM_INV_RD_REQ_ERR(Hints.NO_DEVICE_HAS_IT),
    /** The peer aborted the operation. */
    REM_ABORT_ERR("the peer aborted the operation: look for errors at the peer"),
    /** Not used any more. */
    INV_EECN_ERR(Hints.NO_DEVICE_HAS_IT),
    /** Not used any more. */
    INV_EEC_STATE_ERR(Hints.NO_DEVICE_HAS_IT),
    /** The device is broken. */
    FATAL_ERR("the device has failed: see its asynchronous events and the kernel's log"),
    /** The peer's answer came too late. */
    RESP_TIMEOUT_ERR(
            "the peer's answer came too late: it may be busy, or the network be "
                    + "congested; a larger timeout waits longer"),
    /** Some other error; see the vendor error. */
    GENERAL_ERR("the device gives no reason: look up vendorError in the vendor's manual"),
    /** Tag matching failed. */
    TM_ERR("tag matching failed: no receive for the tag, or an unexpected message"),
    /** A tag matching rendezvous was not completed. */
    TM_RNDV_INCOMPLETE(
            "the rendezvous of a tagged message was not completed: receive it by software"),
    /** A status unknown to this version of loomverbs: see {@link WorkCompletions#statusNumber}. */
    OTHER(
            "a status newer than this version of loomverbs: see statusNumber, and enum "
                    + "ibv_wc_status of the driver's rdma-core");

    private static final class Hints {
        private static final String NO_DEVICE_HAS_IT =
                "of reliable datagrams, which no device has any more: the device or its driver is"
                        + " broken";
    }

    private static final WcStatus[] VALUES = values();

    static WcStatus of(int value) {
        return value >= 0 && value < VALUES.length ? VALUES[value] : OTHER;
    }

    private final String hint;

    WcStatus(String hint) {
        this.hint = hint;
    }

    /**
     * Says what usually causes this status, and what to do. For logs.
     *
     * @return a sentence in plain English, which may change; empty for {@link #SUCCESS}
     */
    public String hint() {
        return hint;
    }
}
