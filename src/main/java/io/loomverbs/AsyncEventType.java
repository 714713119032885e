package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * The types of asynchronous events ({@code enum ibv_event_type}).
 *
 * @since 0.1.0
 */
public enum AsyncEventType {
    /** A CQ has overrun, and is unusable. */
    CQ_ERR(Ibv.EVENT_CQ_ERR),
    /** A queue pair went to the error state, and could not report that in a completion. */
    QP_FATAL(Ibv.EVENT_QP_FATAL),
    /** A queue pair received an invalid request, and went to the error state. */
    QP_REQ_ERR(Ibv.EVENT_QP_REQ_ERR),
    /**
     * A queue pair received a request for memory that it may not access, and went to the error
     * state.
     */
    QP_ACCESS_ERR(Ibv.EVENT_QP_ACCESS_ERR),
    /** A queue pair in state RTR got its first message. */
    COMM_EST(Ibv.EVENT_COMM_EST),
    /**
     * The send queue of a queue pair that went to SQD has drained; raised only on request ({@link
     * QpAttributes.Builder#enSqdAsyncNotify}).
     */
    SQ_DRAINED(Ibv.EVENT_SQ_DRAINED),
    /** A connection has moved to its alternate path. */
    PATH_MIG(Ibv.EVENT_PATH_MIG),
    /** A connection could not move to its alternate path. */
    PATH_MIG_ERR(Ibv.EVENT_PATH_MIG_ERR),
    /** The device is broken or gone. */
    DEVICE_FATAL(Ibv.EVENT_DEVICE_FATAL),
    /** A port's link became active. */
    PORT_ACTIVE(Ibv.EVENT_PORT_ACTIVE),
    /** A port's link went down. */
    PORT_ERR(Ibv.EVENT_PORT_ERR),
    /** A port has another LID. */
    LID_CHANGE(Ibv.EVENT_LID_CHANGE),
    /** A port's table of partition keys has changed. */
    PKEY_CHANGE(Ibv.EVENT_PKEY_CHANGE),
    /** A port has another subnet manager. */
    SM_CHANGE(Ibv.EVENT_SM_CHANGE),
    /** A shared receive queue is unusable. */
    SRQ_ERR(Ibv.EVENT_SRQ_ERR),
    /**
     * A shared receive queue holds fewer requests than its limit ({@link
     * SharedReceiveQueue#armLimit}).
     */
    SRQ_LIMIT_REACHED(Ibv.EVENT_SRQ_LIMIT_REACHED),
    /** A queue pair with a shared receive queue, in the error state, takes no more from it. */
    QP_LAST_WQE_REACHED(Ibv.EVENT_QP_LAST_WQE_REACHED),
    /** The subnet manager wants a port's clients to register again. */
    CLIENT_REREGISTER(Ibv.EVENT_CLIENT_REREGISTER),
    /**
     * A port's table of GIDs has changed; on Ethernet (RoCE) also when its network interface gets
     * or loses an IP address.
     */
    GID_CHANGE(Ibv.EVENT_GID_CHANGE),
    /** A type unknown to this version of loomverbs: see {@link AsyncEvent#typeNumber}. */
    OTHER(-1);

    private final int value;

    AsyncEventType(int value) {
        this.value = value;
    }

    static AsyncEventType of(int value) {
        for (AsyncEventType type : values()) {
            if (type.value == value) {
                return type;
            }
        }
        return OTHER;
    }
}
