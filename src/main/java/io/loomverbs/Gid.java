package io.loomverbs;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * A global identifier: 16 bytes that name a port ({@code union ibv_gid}).
 *
 * @param subnetPrefix the first eight bytes, the first byte being the most significant
 * @param interfaceId the last eight bytes, the first byte being the most significant
 * @since 0.1.0
 */
public record Gid(long subnetPrefix, long interfaceId) {
    private static final int BYTES = 16;
    private static final long IPV4_MARK = 0xffff;
    private static final long LINK_LOCAL = 0xfe80 >> 6;
    private static final long LINK_LOCAL_IPV4 = 169 << 8 | 254;
    private static final long MULTICAST = 0xff;
    private static final long MULTICAST_IPV4 = 0xe;
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    /**
     * Reads the 16 bytes of a GID, in network order.
     *
     * @param bytes 16 bytes
     * @return the GID
     * @throws IllegalArgumentException if there are not 16
     */
    public static Gid of(byte[] bytes) {
        Arguments.notNull(bytes, "bytes");
        Arguments.inRange("bytes.length", bytes.length, BYTES, BYTES, "the size of a GID");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new Gid(buffer.getLong(), buffer.getLong());
    }

    /**
     * Parses a GID as {@link #toString} and the tools of verbs print it, such as {@code
     * fe80:0000:0000:0000:0202:c9ff:fe00:0001} and {@code fe80::202:c9ff:fe00:1}; for an IPv4
     * address also {@code ::ffff:10.0.0.1} and {@code 10.0.0.1}.
     *
     * @param text the GID
     * @return the GID
     * @throws IllegalArgumentException if it is no GID
     */
    public static Gid parse(String text) {
        Arguments.notNull(text, "text");
        boolean v6 = text.indexOf(':') >= 0 && text.indexOf('%') < 0 && text.indexOf('[') < 0;
        if (v6 || IPV4.matcher(text).matches()) {
            try {
                byte[] bytes = InetAddress.ofLiteral(text).getAddress();
                return bytes.length == BYTES ? of(bytes) : ofIpv4(ByteBuffer.wrap(bytes).getInt());
            } catch (IllegalArgumentException e) {
                // said below
            }
        }
        throw new IllegalArgumentException(
                "text is \"" + text + "\", but must be a GID, such as fe80::202:c9ff:fe00:1");
    }

    private static Gid ofIpv4(int address) {
        return new Gid(0, IPV4_MARK << 32 | Integer.toUnsignedLong(address));
    }

    /** Whether it stands for an address of IPv4: ::ffff:0:0/96. */
    boolean isIpv4() {
        return subnetPrefix == 0 && interfaceId >>> 32 == IPV4_MARK;
    }

    /** Whether it names a group: ff00::/8, or 224.0.0.0/4 of IPv4. */
    boolean isMulticast() {
        return subnetPrefix >>> 56 == MULTICAST
                || (isIpv4() && (interfaceId >>> 28 & 0xf) == MULTICAST_IPV4);
    }

    /** Whether no router passes it on: fe80::/10, and 169.254/16 of IPv4. */
    boolean isLinkLocal() {
        return subnetPrefix >>> 54 == LINK_LOCAL
                || (isIpv4() && (interfaceId >>> 16 & 0xffff) == LINK_LOCAL_IPV4);
    }

    /** Whether the port has none at that index. */
    boolean isNone() {
        return subnetPrefix == 0 && interfaceId == 0;
    }

    /** Whether a packet that carries this one as its source can carry {@code dgid}, on Ethernet. */
    boolean reaches(Gid dgid) {
        boolean multicast = dgid.subnetPrefix >>> 56 == MULTICAST;
        return multicast || isIpv4() == dgid.isIpv4();
    }

    /**
     * The 16 bytes, in network order.
     *
     * @return a new array
     */
    public byte[] toBytes() {
        return ByteBuffer.allocate(BYTES).putLong(subnetPrefix).putLong(interfaceId).array();
    }

    /** Eight groups of four digits, as {@code ibv_devinfo -v} prints it. */
    @Override
    public String toString() {
        StringJoiner groups = new StringJoiner(":");
        for (long half : new long[] {subnetPrefix, interfaceId}) {
            for (int shift = 48; shift >= 0; shift -= 16) {
                groups.add(String.format(Locale.ROOT, "%04x", half >>> shift & 0xffff));
            }
        }
        return groups.toString();
    }
}
