package io.loomverbs;

/**
 * The most payload that one packet carries ({@code enum ibv_mtu}).
 *
 * @since 0.1.0
 */
public enum Mtu {
    /** An MTU unknown to verbs: devices may report it, programs cannot set it. */
    UNKNOWN(0, 0),
    /** 256 bytes. */
    MTU_256(1, 256),
    /** 512 bytes. */
    MTU_512(2, 512),
    /** 1024 bytes. */
    MTU_1024(3, 1024),
    /** 2048 bytes. */
    MTU_2048(4, 2048),
    /** 4096 bytes. */
    MTU_4096(5, 4096);

    private final int value;
    private final int bytes;

    Mtu(int value, int bytes) {
        this.value = value;
        this.bytes = bytes;
    }

    /**
     * The size.
     *
     * @return bytes of payload; 0 if it is not known
     */
    public int bytes() {
        return bytes;
    }

    int value() {
        return value;
    }

    static Mtu ofBytes(int bytes) {
        for (Mtu mtu : values()) {
            if (mtu.bytes == bytes && mtu != UNKNOWN) {
                return mtu;
            }
        }
        throw new IllegalArgumentException(
                "mtu is " + bytes + ", but must be 256, 512, 1024, 2048 or 4096");
    }

    static Mtu of(int value) {
        for (Mtu mtu : values()) {
            if (mtu.value == value) {
                return mtu;
            }
        }
        return UNKNOWN;
    }
}
