package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * The state of a queue pair ({@code enum ibv_qp_state}).
 *
 * @since 0.1.0
 */
public enum QpState {
    /** Fresh: nothing may be posted. */
    RESET(Ibv.QPS_RESET),
    /** Initialized: receives may be posted, but nothing arrives yet. */
    INIT(Ibv.QPS_INIT),
    /** Ready to receive. */
    RTR(Ibv.QPS_RTR),
    /** Ready to send as well. */
    RTS(Ibv.QPS_RTS),
    /** The send queue finishes what it has begun, and begins nothing. */
    SQD(Ibv.QPS_SQD),
    /** The send queue is in error; messages are still received (UC and UD). */
    SQE(Ibv.QPS_SQE),
    /** In error: outstanding requests, and those posted from now on, are flushed. */
    ERR(Ibv.QPS_ERR);

    private final int value;

    QpState(int value) {
        this.value = value;
    }

    int value() {
        return value;
    }

    static QpState of(int value) {
        for (QpState state : values()) {
            if (state.value == value) {
                return state;
            }
        }
        throw new IllegalStateException("the device reports an unknown state, " + value);
    }
}
