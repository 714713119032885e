package io.loomverbs.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct ibv_wc}, 48 bytes: the form in which every device hands over completions.
 * libibverbs writes it itself; the embedded device writes the same bytes, so that a batch is read
 * in one way.
 */
public final class WcStruct {
    public static final int BYTES = 48;
    private static final int WR_ID = 0;
    private static final int STATUS = 8;
    private static final int OPCODE = 12;
    private static final int VENDOR_ERR = 16;
    private static final int BYTE_LEN = 20;
    private static final int IMM_DATA = 24;
    private static final int QP_NUM = 28;
    private static final int SRC_QP = 32;
    private static final int WC_FLAGS = 36;
    private static final int PKEY_INDEX = 40;
    private static final int SLID = 42;
    private static final int SL = 44;
    private static final int DLID_PATH_BITS = 45;

    private WcStruct() {}

    public static long wrId(MemorySegment wcs, long at) {
        return wcs.get(JAVA_LONG_UNALIGNED, at + WR_ID);
    }

    public static int status(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + STATUS);
    }

    public static int opcode(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + OPCODE);
    }

    public static int vendorErr(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + VENDOR_ERR);
    }

    public static int byteLen(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + BYTE_LEN);
    }

    /** The immediate as it stands in the structure: in network byte order. */
    public static int immData(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + IMM_DATA);
    }

    public static int qpNum(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + QP_NUM);
    }

    public static int srcQp(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + SRC_QP);
    }

    public static int wcFlags(MemorySegment wcs, long at) {
        return wcs.get(JAVA_INT_UNALIGNED, at + WC_FLAGS);
    }

    public static void wcFlags(MemorySegment wcs, long at, int flags) {
        wcs.set(JAVA_INT_UNALIGNED, at + WC_FLAGS, flags);
    }

    public static int slid(MemorySegment wcs, long at) {
        return wcs.get(JAVA_SHORT_UNALIGNED, at + SLID) & 0xffff;
    }

    public static int pkeyIndex(MemorySegment wcs, long at) {
        return wcs.get(JAVA_SHORT_UNALIGNED, at + PKEY_INDEX) & 0xffff;
    }

    public static int sl(MemorySegment wcs, long at) {
        return wcs.get(JAVA_BYTE, at + SL) & 0xff;
    }

    public static int dlidPathBits(MemorySegment wcs, long at) {
        return wcs.get(JAVA_BYTE, at + DLID_PATH_BITS) & 0xff;
    }

    /** Writes what {@link #put} leaves 0. */
    public static void putRest(MemorySegment wcs, long at, int vendorErr, int dlidPathBits) {
        wcs.set(JAVA_INT_UNALIGNED, at + VENDOR_ERR, vendorErr);
        wcs.set(JAVA_BYTE, at + DLID_PATH_BITS, (byte) dlidPathBits);
    }

    /** Writes one whole completion; {@code immData} is in network byte order. */
    public static void put(
            MemorySegment wcs,
            long at,
            long wrId,
            int status,
            int opcode,
            int byteLen,
            int immData,
            int qpNum,
            int srcQp,
            int wcFlags,
            int slid,
            int sl) {
        wcs.set(JAVA_LONG_UNALIGNED, at + WR_ID, wrId);
        wcs.set(JAVA_INT_UNALIGNED, at + STATUS, status);
        wcs.set(JAVA_INT_UNALIGNED, at + OPCODE, opcode);
        wcs.set(JAVA_INT_UNALIGNED, at + VENDOR_ERR, 0);
        wcs.set(JAVA_INT_UNALIGNED, at + BYTE_LEN, byteLen);
        wcs.set(JAVA_INT_UNALIGNED, at + IMM_DATA, immData);
        wcs.set(JAVA_INT_UNALIGNED, at + QP_NUM, qpNum);
        wcs.set(JAVA_INT_UNALIGNED, at + SRC_QP, srcQp);
        wcs.set(JAVA_INT_UNALIGNED, at + WC_FLAGS, wcFlags);
        wcs.set(JAVA_SHORT_UNALIGNED, at + PKEY_INDEX, (short) 0);
        wcs.set(JAVA_SHORT_UNALIGNED, at + SLID, (short) slid);
        wcs.set(JAVA_BYTE, at + SL, (byte) sl);
        wcs.set(JAVA_BYTE, at + DLID_PATH_BITS, (byte) 0);
    }
}
