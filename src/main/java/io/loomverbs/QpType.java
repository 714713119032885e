package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * The transport service of a queue pair ({@code enum ibv_qp_type}).
 *
 * @since 0.1.0
 */
public enum QpType {
    /** Reliable connection: messages arrive once and in order, or the sender gets an error. */
    RC(Ibv.QPT_RC),
    /** Unreliable connection: messages arrive in order, or are lost unnoticed. */
    UC(Ibv.QPT_UC),
    /** Unreliable datagram: each message of at most one MTU is addressed on its own, or lost. */
    UD(Ibv.QPT_UD);

    private final int value;

    QpType(int value) {
        this.value = value;
    }

    int value() {
        return value;
    }
}
