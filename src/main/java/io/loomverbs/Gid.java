package io.loomverbs;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.StringJoiner;

/**
 * A global identifier: 16 bytes that name a port ({@code union ibv_gid}).
 *
 * @param subnetPrefix the first eight bytes, the first byte being the most significant
 * @param interfaceId the last eight bytes, the first byte being the most significant
 */
public record Gid(long subnetPrefix, long interfaceId) {
    private static final int BYTES = 16;

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
