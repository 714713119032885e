package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/** What happened, apart from completions ({@code enum ibv_event_type}). */
public enum AsyncEventType {
    /** A CQ is in error: it has overrun. */
    CQ_ERR(Ibv.EVENT_CQ_ERR),
    /** A queue pair went to the error state, and could not say so in a completion. */
    QP_FATAL(Ibv.EVENT_QP_FATAL),
    /** A queue pair received an invalid request. */
    QP_REQ_ERR(Ibv.EVENT_QP_REQ_ERR),
    /** A queue pair received a request for memory that it may not access. */
    QP_ACCESS_ERR(Ibv.EVENT_QP_ACCESS_ERR),
    /** A queue pair that is ready to receive got its first message. */
    COMM_EST(Ibv.EVENT_COMM_EST),
    /** A send queue that was asked to has drained. */
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
    /** A kind that this version of loomverbs does not know. */
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
