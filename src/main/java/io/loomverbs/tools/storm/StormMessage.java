package io.loomverbs.tools.storm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * The messages of a storm: the sender, the number, the time, and a checksum over every byte.
 *
 * <p>What follows the header differs from message to message, so that a part of an older one is
 * found out.
 */
public final class StormMessage {
    /** The size of the header. */
    public static final int MIN_BYTES = 32;

    private static final int CHECKSUM = 0;
    private static final int SENDER = 8;
    private static final int INCARNATION = 12;
    private static final int SEQUENCE = 16;
    private static final int SENT_NANOS = 24;
    private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;

    private StormMessage() {}

    static void write(
            MemorySegment memory,
            long at,
            int bytes,
            int sender,
            int incarnation,
            long sequence,
            long sentNanos) {
        memory.set(JAVA_INT, at + SENDER, sender);
        memory.set(JAVA_INT, at + INCARNATION, incarnation);
        memory.set(JAVA_LONG, at + SEQUENCE, sequence);
        memory.set(JAVA_LONG, at + SENT_NANOS, sentNanos);
        long end = at + bytes;
        long filler = sequence * GOLDEN + sender;
        long p = at + MIN_BYTES;
        for (; p + Long.BYTES <= end; p += Long.BYTES) {
            memory.set(JAVA_LONG, p, filler + p);
        }
        for (; p < end; p++) {
            memory.set(JAVA_BYTE, p, (byte) (filler >>> 32));
        }
        memory.set(JAVA_LONG, at + CHECKSUM, checksum(memory, at, bytes));
    }

    static boolean isIntact(MemorySegment memory, long at, int bytes) {
        return memory.get(JAVA_LONG, at + CHECKSUM) == checksum(memory, at, bytes);
    }

    static int sender(MemorySegment memory, long at) {
        return memory.get(JAVA_INT, at + SENDER);
    }

    static int incarnation(MemorySegment memory, long at) {
        return memory.get(JAVA_INT, at + INCARNATION);
    }

    static long sequence(MemorySegment memory, long at) {
        return memory.get(JAVA_LONG, at + SEQUENCE);
    }

    static long sentNanos(MemorySegment memory, long at) {
        return memory.get(JAVA_LONG, at + SENT_NANOS);
    }

    private static long checksum(MemorySegment memory, long at, int bytes) {
        long end = at + bytes;
        long sum = bytes;
        long p = at + Long.BYTES;
        for (; p + Long.BYTES <= end; p += Long.BYTES) {
            sum = mix(sum ^ memory.get(JAVA_LONG, p));
        }
        for (; p < end; p++) {
            sum = mix(sum ^ memory.get(JAVA_BYTE, p));
        }
        return sum;
    }

    /** One to one, so that no single change of a word is lost. */
    private static long mix(long x) {
        long product = x * GOLDEN;
        return product ^ product >>> 32;
    }
}
