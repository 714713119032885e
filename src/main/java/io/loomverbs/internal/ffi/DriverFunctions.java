package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions of a driver that {@code verbs.h} calls inline, through pointers in {@code
 * ibv_context} and {@code verbs_context}. The first argument is the function.
 */
public final class DriverFunctions {
    private static final MethodHandle QUERY_PORT =
            Ffi.pointerCapturing(
                    FunctionDescriptor.of(
                            JAVA_INT, Ffi.POINTER, JAVA_BYTE, Ffi.POINTER, Ffi.SIZE_T));

    private static final MethodHandle QUERY_DEVICE_EX =
            Ffi.pointerCapturing(
                    FunctionDescriptor.of(
                            JAVA_INT, Ffi.POINTER, Ffi.POINTER, Ffi.POINTER, Ffi.SIZE_T));

    private static final MethodHandle QUERY_RT_VALUES =
            Ffi.pointerCapturing(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER));

    private static final MethodHandle CREATE_CQ_EX =
            Ffi.pointerCapturing(FunctionDescriptor.of(Ffi.POINTER, Ffi.POINTER, Ffi.POINTER));

    private static final MethodHandle MODIFY_CQ =
            Ffi.pointerCapturing(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER));

    private static final MethodHandle ALLOC_MW =
            Ffi.pointerCapturing(FunctionDescriptor.of(Ffi.POINTER, Ffi.POINTER, JAVA_INT));

    private static final MethodHandle BIND_MW =
            Ffi.pointerCapturing(
                    FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER, Ffi.POINTER));

    private static final MethodHandle DEALLOC_MW =
            Ffi.pointerCapturing(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER));

    private static final MethodHandle ADVISE_MR =
            Ffi.pointerCapturing(
                    FunctionDescriptor.of(
                            JAVA_INT, Ffi.POINTER, JAVA_INT, JAVA_INT, Ffi.POINTER, JAVA_INT));

    private static final MethodHandle POLL_CQ =
            Ffi.pointerDowncall(
                    FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, JAVA_INT, Ffi.POINTER));

    private static final MethodHandle REQ_NOTIFY_CQ =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, JAVA_INT));

    /** {@code post_send}, {@code post_recv} and {@code post_srq_recv}. */
    private static final MethodHandle POST =
            Ffi.pointerDowncall(
                    FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER, Ffi.POINTER));

    /**
     * What mthca answers for each request that it does not take, and mlx4 for those of an SRQ: that
     * is full, as a rule.
     */
    private static final int NO_REASON = -1;

    private static final int ENOMEM = 12;

    private DriverFunctions() {}

    /** Links them now: a caller that is short of stack or memory could not do it later. */
    public static void link() {
        // The initialization of this class does it.
    }

    /** {@code query_port} of the {@code verbs_context}, which gets the size of the result. */
    public static int queryPort(
            MemorySegment call,
            MemorySegment function,
            long context,
            int port,
            long attr,
            long size) {
        try {
            return Ffi.code(
                    (int) QUERY_PORT.invokeExact(function, call, context, (byte) port, attr, size),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code query_device_ex} of the {@code verbs_context}, without input. */
    public static int queryDeviceEx(
            MemorySegment call, MemorySegment function, long context, long attr, long size) {
        try {
            return Ffi.code(
                    (int) QUERY_DEVICE_EX.invokeExact(function, call, context, 0L, attr, size),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code modify_cq} of the {@code verbs_context}. */
    public static int modifyCq(MemorySegment call, MemorySegment function, long cq, long attr) {
        try {
            return Ffi.code((int) MODIFY_CQ.invokeExact(function, call, cq, attr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code alloc_mw}: the {@code ibv_mw}, or a negative errno. */
    public static long allocMw(MemorySegment call, long function, long pd, int type) {
        try {
            return Ffi.pointer(
                    (long) ALLOC_MW.invokeExact(Ffi.function(function), call, pd, type), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code create_cq_ex} of the {@code verbs_context}: a pointer or a negative errno. */
    public static long createCqEx(
            MemorySegment call, MemorySegment function, long context, long attr) {
        try {
            return Ffi.pointer(
                    (long) CREATE_CQ_EX.invokeExact(function, call, context, attr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code bind_mw}, which changes the key of the {@code ibv_mw}. */
    public static int bindMw(MemorySegment call, long function, long qp, long mw, long bind) {
        try {
            return Ffi.code(
                    (int) BIND_MW.invokeExact(Ffi.function(function), call, qp, mw, bind), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code query_rt_values} of the {@code verbs_context}. */
    public static int queryRtValues(
            MemorySegment call, MemorySegment function, long context, long values) {
        try {
            return Ffi.code(
                    (int) QUERY_RT_VALUES.invokeExact(function, call, context, values), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code dealloc_mw}. */
    public static int deallocMw(MemorySegment call, long function, long mw) {
        try {
            return Ffi.code((int) DEALLOC_MW.invokeExact(Ffi.function(function), call, mw), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code advise_mr} of the {@code verbs_context}. */
    public static int adviseMr(
            MemorySegment call,
            MemorySegment function,
            long pd,
            int advice,
            int flags,
            long sges,
            int entries) {
        try {
            return Ffi.code(
                    (int) ADVISE_MR.invokeExact(function, call, pd, advice, flags, sges, entries),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Calls {@code poll_cq}: how many there were, or a negative error. Allocates nothing. */
    public static int pollCq(long function, long cq, int max, long wcs) {
        try {
            return (int) POLL_CQ.invokeExact(Ffi.function(function), cq, max, wcs);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Calls {@code req_notify_cq}: 0 or a negative errno. Allocates nothing. */
    public static int reqNotifyCq(long function, long cq, boolean solicitedOnly) {
        try {
            return -Math.abs(
                    (int)
                            REQ_NOTIFY_CQ.invokeExact(
                                    Ffi.function(function), cq, solicitedOnly ? 1 : 0));
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * Calls {@code post_send}, {@code post_recv} or {@code post_srq_recv}: 0 or a negative errno.
     * Allocates nothing.
     *
     * @param badWr the address where that of the first request goes that was not posted
     */
    public static int post(long function, long queue, long wr, long badWr) {
        try {
            int rc = (int) POST.invokeExact(Ffi.function(function), queue, wr, badWr);
            return rc == NO_REASON ? -ENOMEM : -Math.abs(rc);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }
}
