package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A structure in native memory, its fields by their offset in {@link IbvLayouts}. Narrow fields are
 * unsigned.
 */
@SuppressWarnings("restricted") // allowed in this package
public final class Struct {
    private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final MemorySegment memory;

    private Struct(MemorySegment memory) {
        this.memory = memory;
    }

    /** A new one, all zero, that lives as long as {@code arena}. */
    public static Struct allocate(Arena arena, int bytes) {
        return new Struct(arena.allocate(bytes, Long.BYTES));
    }

    /** One that libibverbs owns; not to be used after libibverbs has freed it. */
    public static Struct at(long address, int bytes) {
        return new Struct(MemorySegment.ofAddress(address).reinterpret(bytes));
    }

    /** One field of a structure that libibverbs owns; allocates nothing. */
    public static int i32At(long address) {
        return EVERYTHING.get(JAVA_INT_UNALIGNED, address);
    }

    /** The same of 64 bits. */
    public static long i64At(long address) {
        return EVERYTHING.get(JAVA_LONG_UNALIGNED, address);
    }

    /** Where it is. The memory is kept by the arena, not by this number. */
    public long address() {
        return memory.address();
    }

    public int u8(int offset) {
        return memory.get(JAVA_BYTE, offset) & 0xff;
    }

    public int u16(int offset) {
        return memory.get(JAVA_SHORT_UNALIGNED, offset) & 0xffff;
    }

    public int i32(int offset) {
        return memory.get(JAVA_INT_UNALIGNED, offset);
    }

    public long i64(int offset) {
        return memory.get(JAVA_LONG_UNALIGNED, offset);
    }

    /** Eight bytes in network order, the first one being the most significant. */
    public long be64(int offset) {
        return networkOrder(i64(offset));
    }

    public void u8(int offset, int value) {
        memory.set(JAVA_BYTE, offset, (byte) value);
    }

    public void u16(int offset, int value) {
        memory.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
    }

    public void i32(int offset, int value) {
        memory.set(JAVA_INT_UNALIGNED, offset, value);
    }

    public void i64(int offset, long value) {
        memory.set(JAVA_LONG_UNALIGNED, offset, value);
    }

    public void be64(int offset, long value) {
        i64(offset, networkOrder(value));
    }

    /** The characters up to the first zero, of at most {@code max} bytes. */
    public String string(int offset, int max) {
        byte[] bytes = bytes(offset, max);
        int length = 0;
        while (length < max && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    public byte[] bytes(int offset, int length) {
        return memory.asSlice(offset, length).toArray(JAVA_BYTE);
    }

    static long networkOrder(long value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Long.reverseBytes(value);
    }
}
