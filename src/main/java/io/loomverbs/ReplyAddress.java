package io.loomverbs;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The address of the sender of a datagram, from its completion and its routing header, as {@code
 * ibv_init_ah_from_wc} finds it.
 *
 * <p>The 40 bytes hold an IPv6 header, or the GRH of InfiniBand, which looks the same; or, in their
 * last 20, an IPv4 header. Both can look like the other: an IPv4 header has a checksum that tells.
 */
final class ReplyAddress {
    static final int HEADER_BYTES = 40;
    private static final int IPV4_AT = 20;
    private static final int IPV4_WORDS = 10;
    private static final int UDP = 17;
    private static final int BTH = 0x1b;
    private static final long MULTICAST_BYTE = 0xff;
    private static final long MAPPED = 0xffff_0000_0000L;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private ReplyAddress() {}

    static AhAttributes of(
            Context context, int port, WorkCompletions batch, int index, MemorySegment header) {
        int slid = batch.slid(index);
        int sl = batch.sl(index);
        int bits = batch.dlidPathBits(index);
        if (!batch.hasGrh(index)) {
            return new AhAttributes(port, slid, sl, null, 0, 0, 0, 0, bits, 0);
        }
        if (isIpv4(header)) {
            Gid local = mapped(header, IPV4_AT + 16);
            return new AhAttributes(
                    port,
                    slid,
                    sl,
                    mapped(header, IPV4_AT + 12),
                    indexOf(context, port, local, true),
                    u8(header, IPV4_AT + 8),
                    u8(header, IPV4_AT + 1),
                    0,
                    bits,
                    0);
        }
        int versionClassFlow = header.get(INT, 0);
        int next = u8(header, 6);
        if (versionClassFlow >>> 28 != 6 || (next != UDP && next != BTH)) {
            throw new IllegalArgumentException(
                    "header holds no routing header: its version is "
                            + (versionClassFlow >>> 28)
                            + " and its next header "
                            + next);
        }
        Gid local = new Gid(header.get(LONG, 24), header.get(LONG, 32));
        return new AhAttributes(
                port,
                slid,
                sl,
                new Gid(header.get(LONG, 8), header.get(LONG, 16)),
                indexOf(context, port, local, next == UDP),
                u8(header, 7),
                versionClassFlow >>> 20 & 0xff,
                versionClassFlow & 0xfffff,
                bits,
                0);
    }

    private static boolean isIpv4(MemorySegment header) {
        int first = u8(header, IPV4_AT);
        if (first >>> 4 != 4) {
            return false;
        }
        if (header.get(INT, 0) >>> 28 != 6) {
            return true;
        }
        return (first & 0xf) == IPV4_WORDS / 2 && checksum(header) == 0;
    }

    /** 0 if the checksum of the IPv4 header is right. */
    private static int checksum(MemorySegment header) {
        int sum = 0;
        for (int i = 0; i < IPV4_WORDS; i++) {
            sum += header.get(SHORT, IPV4_AT + 2L * i) & 0xffff;
        }
        sum = (sum & 0xffff) + (sum >>> 16);
        return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    }

    private static Gid mapped(MemorySegment header, long at) {
        return new Gid(0, MAPPED | (header.get(INT, at) & 0xffff_ffffL));
    }

    /** The GID to which the datagram was sent, which is where the reply comes from. */
    private static int indexOf(Context context, int port, Gid local, boolean version2) {
        if (local.subnetPrefix() >>> 56 == MULTICAST_BYTE
                || (local.isIpv4() && (local.interfaceId() & 0xf000_0000L) == 0xe000_0000L)) {
            throw new IllegalArgumentException(
                    "header names the multicast address "
                            + local
                            + " as its destination, from which nothing can be sent: make the"
                            + " address with AhAttributes.of(the sender's GID, its LID)");
        }
        List<GidEntry> table = context.gids(port);
        for (GidEntry entry : table) {
            if (entry.gid().equals(local) && (entry.type() == GidType.ROCE_V2) == version2) {
                return entry.index();
            }
        }
        throw new IllegalArgumentException(
                "header names " + local + " as its destination, which port " + port + " has not");
    }

    private static int u8(MemorySegment header, long at) {
        return header.get(JAVA_BYTE, at) & 0xff;
    }
}
