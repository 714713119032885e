package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.PortAttr;

import java.nio.ByteBuffer;

/**
 * The one port of the device: an InfiniBand port, so that both a LID and a GID name it (an Ethernet
 * port would know GIDs only).
 */
final class SoftPort {
    static final int NUMBER = 1;
    static final int LID = 1;

    /** Reserved: with a GID, soft0 treats it as not given, as on an Ethernet port. */
    private static final int NO_LID = 0;

    /** The only one: that of the default partition, as a full member. */
    static final int DEFAULT_PKEY = 0xffff;

    static final int MTU = 5;
    static final int MTU_BYTES = 4096;
    static final int MAX_MSG_BYTES = 1 << 30;

    /** Of {@code soft0}: an EUI-64 in the range of locally administered ones. */
    static final long GUID = 0x024c_4fff_fe4f_4d30L;

    static final long GID_HIGH = 0xfe80_0000_0000_0000L;

    private static final int STATE_DOWN = 1;
    private static final int STATE_ACTIVE = 4;
    private static final int ONLY_VL0 = 1;

    /** The usual value of subnet managers: 1 s. */
    private static final int SUBNET_TIMEOUT = 18;

    private static final int WIDTH_4X = 2;
    private static final int SPEED_EDR = 32;
    private static final int PHYS_POLLING = 2;
    private static final int PHYS_LINK_UP = 5;
    private static final int LINK_LAYER_INFINIBAND = 1;

    final long guid;
    private final boolean strict;

    SoftPort(long guid, boolean strict) {
        this.guid = guid;
        this.strict = strict;
    }

    static PortAttr attributes(boolean down) {
        return new PortAttr(
                down ? STATE_DOWN : STATE_ACTIVE,
                MTU,
                MTU,
                1,
                0,
                MAX_MSG_BYTES,
                0,
                0,
                1,
                LID,
                LID,
                0,
                ONLY_VL0,
                0,
                SUBNET_TIMEOUT,
                0,
                WIDTH_4X,
                SPEED_EDR,
                down ? PHYS_POLLING : PHYS_LINK_UP,
                LINK_LAYER_INFINIBAND,
                0,
                0);
    }

    byte[] gid() {
        return ByteBuffer.allocate(16).putLong(GID_HIGH).putLong(guid).array();
    }

    /** The bytes that a code of {@code enum ibv_mtu} stands for. */
    static int bytesOf(int mtu) {
        return 128 << mtu;
    }

    /** Whether an address vector may be used at all; it may still lead nowhere. */
    static boolean accepts(AhAttr av) {
        return av.portNum() == NUMBER && (!av.global() || av.sgidIndex() == 0);
    }

    /**
     * Whether packets with this address vector arrive at this port, the only one of the fabric. A
     * switch goes by the LID, and the port checks the GID if there is one.
     */
    boolean isAddressedBy(AhAttr av) {
        if (av.dlid() != LID && (strict || !av.global() || av.dlid() != NO_LID)) {
            return false;
        }
        return !av.global() || (av.dgidHigh() == GID_HIGH && av.dgidLow() == guid);
    }
}
