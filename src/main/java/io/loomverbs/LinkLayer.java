package io.loomverbs;

/**
 * The protocol of a port's link ({@code IBV_LINK_LAYER_}), in the order of the values.
 *
 * @since 0.1.0
 */
public enum LinkLayer {
    /** Not reported by the device: InfiniBand. */
    UNSPECIFIED,
    /** InfiniBand: ports are addressed by LID. */
    INFINIBAND,
    /** Ethernet (RoCE): ports are addressed by GID. */
    ETHERNET;

    static LinkLayer of(int value) {
        return value >= 0 && value < values().length ? values()[value] : UNSPECIFIED;
    }
}
