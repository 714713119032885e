package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.loomverbs.internal.device.AhAttr;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The global routing header, IBA 8.3: 40 bytes in network order before the payload of a datagram.
 */
final class Grh {
    private static final ValueLayout.OfShort SHORT =
            JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int PAY_LEN = 4;
    private static final int NEXT_HEADER = 6;
    private static final int HOP_LIMIT = 7;
    private static final int SGID = 8;
    private static final int DGID = 24;

    private static final int IP_VERSION = 6;
    private static final byte NEXT_IS_BTH = 0x1b;
    private static final int BTH_BYTES = 12;
    private static final int DETH_BYTES = 8;
    private static final int IMM_BYTES = 4;
    private static final int ICRC_BYTES = 4;

    private Grh() {}

    /** Writes the header into bytes of the request that are not its payload. */
    static MemorySegment of(SendSlot wr, AhAttr ah, SoftPort from) {
        int padded = (int) wr.length + 3 & ~3;
        int payLen =
                BTH_BYTES + DETH_BYTES + (wr.carriesImm() ? IMM_BYTES : 0) + padded + ICRC_BYTES;
        MemorySegment grh = wr.header();
        grh.set(
                INT,
                0,
                IP_VERSION << 28 | (ah.trafficClass() & 0xff) << 20 | (ah.flowLabel() & 0xfffff));
        grh.set(SHORT, PAY_LEN, (short) payLen);
        grh.set(JAVA_BYTE, NEXT_HEADER, NEXT_IS_BTH);
        grh.set(JAVA_BYTE, HOP_LIMIT, (byte) ah.hopLimit());
        grh.set(LONG, SGID, SoftPort.GID_HIGH);
        grh.set(LONG, SGID + Long.BYTES, from.guid);
        grh.set(LONG, DGID, ah.dgidHigh());
        grh.set(LONG, DGID + Long.BYTES, ah.dgidLow());
        return grh;
    }
}
