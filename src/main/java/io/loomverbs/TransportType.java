package io.loomverbs;

/**
 * The protocol family of a device ({@code enum ibv_transport_type}).
 *
 * @since 0.1.0
 */
public enum TransportType {
    /** InfiniBand, and RoCE, which is its transport over Ethernet. */
    INFINIBAND(0, "InfiniBand"),
    /** RDMA over TCP. */
    IWARP(1, "iWARP"),
    /** Cisco's usNIC. */
    USNIC(2, "usNIC"),
    /** Cisco's usNIC over UDP. */
    USNIC_UDP(3, "usNIC UDP"),
    /** A vendor's own protocol, such as that of EFA. */
    UNSPECIFIED(4, "unspecified"),
    /** None of these. */
    UNKNOWN(-1, "unknown");

    private final int value;
    private final String text;

    TransportType(int value, String text) {
        this.value = value;
        this.text = text;
    }

    static TransportType of(int value) {
        for (TransportType type : values()) {
            if (type.value == value) {
                return type;
            }
        }
        return UNKNOWN;
    }

    /** As {@code ibv_devinfo} prints it, such as {@code InfiniBand (0)}. */
    @Override
    public String toString() {
        return text + " (" + value + ")";
    }
}
