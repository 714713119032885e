package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.loomverbs.internal.ffi.IbvLayouts.IbvCqEx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions of a driver for an extended CQ, which {@code verbs.h} calls inline through pointers
 * in {@code ibv_cq_ex}. {@code cq} is the address of the CQ, and {@code field} that of a pointer in
 * it. Only those may be called whose field the CQ was created with. They allocate nothing.
 *
 * <p>A driver takes a lock in {@link #startPoll}, unless the CQ is empty, and releases it in {@link
 * #endPoll}.
 */
public final class CqExFunctions {
    private static final MethodHandle START_POLL =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER));

    private static final MethodHandle END_POLL =
            Ffi.pointerDowncall(FunctionDescriptor.ofVoid(Ffi.POINTER));

    private static final MethodHandle READ_8 =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_BYTE, Ffi.POINTER));

    private static final MethodHandle READ_16 =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_SHORT, Ffi.POINTER));

    private static final MethodHandle READ_32 =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER));

    private static final MethodHandle READ_64 =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_LONG, Ffi.POINTER));

    /** A {@code struct ibv_poll_cq_attr}, of zeros; for as long as the class. */
    private static final MemorySegment NO_ATTR =
            Arena.ofAuto().allocate(IbvLayouts.IbvPollCqAttr.BYTES, Long.BYTES);

    private CqExFunctions() {}

    /** Links them now: a caller that is short of stack or memory could not do it later. */
    public static void link() {
        // The initialization of this class does it.
    }

    private static MemorySegment function(long field) {
        return Ffi.function(Struct.i64At(field));
    }

    /** {@code ibv_start_poll}: 0, or a positive errno; {@code ENOENT} if the CQ is empty. */
    public static int startPoll(long cq, int excess) {
        try {
            return (int)
                    START_POLL.invokeExact(
                            function(cq + IbvCqEx.START_POLL + excess), cq, NO_ATTR.address());
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code ibv_end_poll}. */
    public static void endPoll(long cq, int excess) {
        try {
            END_POLL.invokeExact(function(cq + IbvCqEx.END_POLL + excess), cq);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** An unsigned byte. */
    public static int read8(long cq, long field) {
        try {
            return (byte) READ_8.invokeExact(function(field), cq) & 0xff;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Two bytes, unsigned. */
    public static int read16(long cq, long field) {
        try {
            return (short) READ_16.invokeExact(function(field), cq) & 0xffff;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int read32(long cq, long field) {
        try {
            return (int) READ_32.invokeExact(function(field), cq);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static long read64(long cq, long field) {
        try {
            return (long) READ_64.invokeExact(function(field), cq);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }
}
