package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * How a memory window is bound, and which peers may use it ({@code enum ibv_mw_type}).
 *
 * @since 0.1.0
 */
public enum MwType {
    /**
     * Bound by {@link QueuePair#bindMw}, any number of times: each bind replaces the one before.
     * The peer of any queue pair of its protection domain may use it.
     */
    TYPE_1(Ibv.MW_TYPE_1),
    /**
     * Bound by a request in the send queue, {@link SendWorkRequest#bindMw}. Only the peer of that
     * queue pair may use it, until a {@link SendWorkRequest#localInv} or the peer's {@link
     * SendWorkRequest#sendWithInv} ends that; only then can it be bound again.
     */
    TYPE_2(Ibv.MW_TYPE_2);

    private final int value;

    MwType(int value) {
        this.value = value;
    }

    int value() {
        return value;
    }
}
