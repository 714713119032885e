package io.loomverbs;

/** How a work request ended ({@code enum ibv_wc_status}), in the order of the values. */
public enum WcStatus {
    /** It was done. */
    SUCCESS,
    /** Local length error: a message does not fit in the receive buffer, or is too long to send. */
    LOC_LEN_ERR,
    /** Local operation error: the work request or the queue pair is inconsistent. */
    LOC_QP_OP_ERR,
    /** Not used any more. */
    LOC_EEC_OP_ERR,
    /** Local protection error: a local key, its bounds or its access flags do not allow this. */
    LOC_PROT_ERR,
    /** The queue pair was in, or went to, the error state; the request was not done. */
    WR_FLUSH_ERR,
    /** A memory window could not be bound. */
    MW_BIND_ERR,
    /** The peer answered something unexpected. */
    BAD_RESP_ERR,
    /** A WRITE with immediate could not be placed. */
    LOC_ACCESS_ERR,
    /** The peer found the request invalid: a message too long, an operation not enabled. */
    REM_INV_REQ_ERR,
    /**
     * The peer's memory is not accessible: remote key, bounds or access flags do not allow this.
     */
    REM_ACCESS_ERR,
    /** The peer could not do it, because of an error on its own side. */
    REM_OP_ERR,
    /** The peer did not answer, however often it was tried. */
    RETRY_EXC_ERR,
    /** The peer had no receive request ready, however often it was tried. */
    RNR_RETRY_EXC_ERR,
    /** Not used any more. */
    LOC_RDD_VIOL_ERR,
    /** Not used any more. */
    REM_INV_RD_REQ_ERR,
    /** The peer aborted the operation. */
    REM_ABORT_ERR,
    /** Not used any more. */
    INV_EECN_ERR,
    /** Not used any more. */
    INV_EEC_STATE_ERR,
    /** The device is broken. */
    FATAL_ERR,
    /** The peer's answer came too late. */
    RESP_TIMEOUT_ERR,
    /** Some other error; see the vendor error. */
    GENERAL_ERR,
    /** Tag matching failed. */
    TM_ERR,
    /** A tag matching rendezvous was not completed. */
    TM_RNDV_INCOMPLETE,
    /**
     * One that this version of loomverbs does not know: see {@link WorkCompletions#statusNumber}.
     */
    OTHER;

    private static final WcStatus[] VALUES = values();

    static WcStatus of(int value) {
        return value >= 0 && value < VALUES.length ? VALUES[value] : OTHER;
    }
}
