package io.loomverbs;

/**
 * The protocol that a GID is for ({@code enum ibv_gid_type}), in the order of the values.
 *
 * @since 0.1.0
 */
public enum GidType {
    /** InfiniBand. */
    IB,
    /** RoCE version 1: frames of Ethernet, which no router passes on. */
    ROCE_V1,
    /** RoCE version 2: UDP over IPv4 or IPv6, depending on whether the GID is an IPv4 one. */
    ROCE_V2,
    /** A type that this version of loomverbs does not know. */
    OTHER;

    private static final GidType[] VALUES = values();

    static GidType of(int value) {
        return value >= 0 && value < VALUES.length ? VALUES[value] : OTHER;
    }
}
