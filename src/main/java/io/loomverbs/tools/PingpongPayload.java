package io.loomverbs.tools;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * The payload of messages, which reveals stale, shifted and torn ones.
 *
 * <p>The C programs send the same in each: {@code 0x7b}, but a zero at the beginning of every page,
 * and that is what they look for with {@code -c}. Our messages are different from one to the next,
 * with the zeros where a C program wants them.
 */
final class PingpongPayload {
    private static final int PAGE = 4096;
    private static final byte OF_C = 0x7b;

    private PingpongPayload() {}

    private static byte numbered(int number, int index) {
        return index % PAGE == 0 ? 0 : (byte) (number * 31 + index * 7 + index / 256 * 13 + 1);
    }

    private static byte constant(int index) {
        return index % PAGE == 0 ? 0 : OF_C;
    }

    /** Writes message {@code number} to {@code to}. */
    static void write(MemorySegment to, int number) {
        for (int i = 0; i < to.byteSize(); i++) {
            to.set(ValueLayout.JAVA_BYTE, i, numbered(number, i));
        }
    }

    /** Whether these are the bytes that a C program sends. */
    static boolean isOfC(MemorySegment from) {
        for (int i = 0; i < from.byteSize(); i++) {
            if (from.get(ValueLayout.JAVA_BYTE, i) != constant(i)) {
                return false;
            }
        }
        return true;
    }

    /** Fails unless {@code from} holds message {@code number}. */
    static void verify(MemorySegment from, int number) {
        for (int i = 0; i < from.byteSize(); i++) {
            byte expected = numbered(number, i);
            byte found = from.get(ValueLayout.JAVA_BYTE, i);
            if (found != expected) {
                throw new IllegalStateException(
                        String.format(
                                Locale.ROOT,
                                "byte %d of message %d is %d, but %d was sent",
                                i,
                                number,
                                found,
                                expected));
            }
        }
    }
}
