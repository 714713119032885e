package io.loomverbs.blocking;

import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory of a peer, as requests name it: its address, its key and its length. A program makes one
 * for its own memory, and sends it to peers as text ({@link #toString}) or as bytes ({@link
 * #toBytes}).
 *
 * <p>Requests are checked against the length before they are posted. The peer's device checks the
 * access again, as the length may be wrong.
 *
 * @param address the address there
 * @param rkey the remote key of the region there
 * @param length how many bytes; not negative
 * @since 0.1.0
 */
public record RemoteRegion(long address, int rkey, long length) {
    /** The length of the binary form. */
    public static final int BYTES = 20;

    private static final Pattern TEXT =
            Pattern.compile("0x([0-9a-f]{1,16}):0x([0-9a-f]{1,8}):([0-9]{1,19})");

    /**
     * Checks the length.
     *
     * @throws IllegalArgumentException if the length is negative
     */
    public RemoteRegion {
        if (length < 0) {
            throw new IllegalArgumentException(
                    "length is " + length + ", but must not be negative");
        }
    }

    /**
     * What a peer must know to access a region of this process.
     *
     * @param region the region; its access decides what the peer can do
     * @return its address, remote key and length
     */
    public static RemoteRegion of(MemoryRegion region) {
        Check.notNull(region, "region");
        return new RemoteRegion(region.address(), region.rkey(), region.length());
    }

    /**
     * The same memory by the key of a window that is bound to it, or will be when the bind that was
     * posted is done. If it is bound {@link io.loomverbs.Access#ZERO_BASED}, make one with address
     * 0.
     *
     * @param window the window; its access decides what the peer can do
     * @return this address and length, with the window's key
     */
    public RemoteRegion through(MemoryWindow window) {
        return new RemoteRegion(address, Check.notNull(window, "window").rkey(), length);
    }

    /**
     * A part of this region.
     *
     * @param offset where the part starts, in bytes
     * @param bytes how long it is
     * @return the part
     * @throws IllegalArgumentException if the part is not within the region
     */
    public RemoteRegion slice(long offset, long bytes) {
        Check.part(offset, bytes, length, "the remote region");
        return new RemoteRegion(address + offset, rkey, bytes);
    }

    /**
     * Reads the text form.
     *
     * @param text the result of {@link #toString}
     * @return the region
     * @throws IllegalArgumentException if it is anything else
     */
    public static RemoteRegion parse(String text) {
        Matcher m = TEXT.matcher(Check.notNull(text, "text"));
        if (m.matches()) {
            try {
                return new RemoteRegion(
                        Long.parseUnsignedLong(m.group(1), 16),
                        Integer.parseUnsignedInt(m.group(2), 16),
                        Long.parseLong(m.group(3)));
            } catch (NumberFormatException e) {
                // The length is more than a long holds.
            }
        }
        throw new IllegalArgumentException(
                "text is '" + text + "', but must be like 0x7f0000001000:0x1a2b:4096");
    }

    /**
     * The binary form: address, key and length, in network byte order.
     *
     * @return {@link #BYTES} bytes, a new array
     */
    public byte[] toBytes() {
        byte[] bytes = new byte[BYTES];
        ByteBuffer.wrap(bytes).putLong(address).putInt(rkey).putLong(length);
        return bytes;
    }

    /**
     * Reads the binary form from the position of a buffer on, and advances it.
     *
     * @param bytes at least {@link #BYTES} of them; its byte order does not matter
     * @return the region
     * @throws IllegalArgumentException if there are fewer bytes left, or the length is negative;
     *     the position is unchanged then
     */
    public static RemoteRegion from(ByteBuffer bytes) {
        Check.notNull(bytes, "bytes");
        if (bytes.remaining() < BYTES) {
            throw new IllegalArgumentException(
                    "bytes has " + bytes.remaining() + " left, but a remote region has " + BYTES);
        }
        ByteBuffer in = bytes.slice().order(ByteOrder.BIG_ENDIAN);
        RemoteRegion region = new RemoteRegion(in.getLong(), in.getInt(), in.getLong());
        bytes.position(bytes.position() + BYTES);
        return region;
    }

    /** The text form: address and key in hexadecimal, the length in decimal. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "0x%x:0x%x:%d", address, rkey, length);
    }
}
