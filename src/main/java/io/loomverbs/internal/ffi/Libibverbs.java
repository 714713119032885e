package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code libibverbs.so.1}. May be used only if {@link LibibverbsLibrary} has no
 * cause of unavailability.
 *
 * <p>Functions that return a pointer return it, or a negative errno: no pointer is negative. Those
 * that return an error number return 0 or a negative errno, whatever its sign and place is in
 * libibverbs. {@code call} is memory of {@link #callState}, of the calling thread alone.
 */
public final class Libibverbs {
    private static final MethodHandle GET_DEVICE_LIST = pointer("ibv_get_device_list", Ffi.POINTER);
    private static final MethodHandle FREE_DEVICE_LIST =
            nothing("ibv_free_device_list", Ffi.POINTER);
    private static final MethodHandle GET_DEVICE_GUID =
            plainLong("ibv_get_device_guid", Ffi.POINTER);
    private static final MethodHandle OPEN_DEVICE = pointer("ibv_open_device", Ffi.POINTER);
    private static final MethodHandle CLOSE_DEVICE = code("ibv_close_device", Ffi.POINTER);
    private static final MethodHandle QUERY_DEVICE =
            code("ibv_query_device", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle QUERY_PORT_COMPAT =
            code("ibv_query_port", Ffi.POINTER, JAVA_BYTE, Ffi.POINTER);
    private static final MethodHandle QUERY_GID =
            code("ibv_query_gid", Ffi.POINTER, JAVA_BYTE, JAVA_INT, Ffi.POINTER);

    private static final MethodHandle QUERY_PKEY =
            code("ibv_query_pkey", Ffi.POINTER, JAVA_BYTE, JAVA_INT, Ffi.POINTER);

    /** What {@code ibv_query_gid_ex} calls; null in a library older than rdma-core 32. */
    private static final @Nullable MethodHandle QUERY_GID_EX =
            optional(
                    "_ibv_query_gid_ex",
                    FunctionDescriptor.of(
                            JAVA_INT,
                            Ffi.POINTER,
                            JAVA_INT,
                            JAVA_INT,
                            Ffi.POINTER,
                            JAVA_INT,
                            Ffi.SIZE_T));

    /** What {@code ibv_query_gid_table} calls; as above. */
    private static final @Nullable MethodHandle QUERY_GID_TABLE =
            optional(
                    "_ibv_query_gid_table",
                    FunctionDescriptor.of(
                            Ffi.SIZE_T,
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.SIZE_T,
                            JAVA_INT,
                            Ffi.SIZE_T));

    private static final MethodHandle ALLOC_PD = pointer("ibv_alloc_pd", Ffi.POINTER);
    private static final MethodHandle DEALLOC_PD = code("ibv_dealloc_pd", Ffi.POINTER);
    private static final MethodHandle REG_MR =
            pointer("ibv_reg_mr", Ffi.POINTER, Ffi.POINTER, Ffi.SIZE_T, JAVA_INT);

    /**
     * What {@code ibv_reg_mr} calls for optional flags; null in a library older than rdma-core 28.
     */
    private static final @Nullable MethodHandle REG_MR_IOVA2 =
            optional(
                    "ibv_reg_mr_iova2",
                    FunctionDescriptor.of(
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.SIZE_T,
                            JAVA_LONG,
                            JAVA_INT));

    private static final MethodHandle DEREG_MR = code("ibv_dereg_mr", Ffi.POINTER);
    private static final MethodHandle CREATE_CQ =
            pointer("ibv_create_cq", Ffi.POINTER, JAVA_INT, Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle RESIZE_CQ = code("ibv_resize_cq", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle DESTROY_CQ = code("ibv_destroy_cq", Ffi.POINTER);
    private static final MethodHandle CREATE_SRQ =
            pointer("ibv_create_srq", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle MODIFY_SRQ =
            code("ibv_modify_srq", Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle QUERY_SRQ = code("ibv_query_srq", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle DESTROY_SRQ = code("ibv_destroy_srq", Ffi.POINTER);
    private static final MethodHandle CREATE_QP =
            pointer("ibv_create_qp", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle MODIFY_QP =
            code("ibv_modify_qp", Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle QUERY_QP =
            code("ibv_query_qp", Ffi.POINTER, Ffi.POINTER, JAVA_INT, Ffi.POINTER);
    private static final MethodHandle DESTROY_QP = code("ibv_destroy_qp", Ffi.POINTER);
    private static final MethodHandle ATTACH_MCAST =
            code("ibv_attach_mcast", Ffi.POINTER, Ffi.POINTER, JAVA_SHORT);
    private static final MethodHandle DETACH_MCAST =
            code("ibv_detach_mcast", Ffi.POINTER, Ffi.POINTER, JAVA_SHORT);
    private static final MethodHandle CREATE_AH =
            pointer("ibv_create_ah", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle DESTROY_AH = code("ibv_destroy_ah", Ffi.POINTER);
    private static final MethodHandle CREATE_COMP_CHANNEL =
            pointer("ibv_create_comp_channel", Ffi.POINTER);
    private static final MethodHandle DESTROY_COMP_CHANNEL =
            code("ibv_destroy_comp_channel", Ffi.POINTER);
    private static final MethodHandle GET_CQ_EVENT =
            code("ibv_get_cq_event", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ACK_CQ_EVENTS =
            nothing("ibv_ack_cq_events", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle GET_ASYNC_EVENT =
            code("ibv_get_async_event", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ACK_ASYNC_EVENT = nothing("ibv_ack_async_event", Ffi.POINTER);

    /** {@code verbs_context.query_port}; the function comes first. */
    private static final MethodHandle QUERY_PORT =
            Ffi.pointerCapturing(
                    FunctionDescriptor.of(
                            JAVA_INT, Ffi.POINTER, JAVA_BYTE, Ffi.POINTER, Ffi.SIZE_T));

    /** {@code verbs_context.modify_cq}; the function comes first. */
    private static final MethodHandle MODIFY_CQ =
            Ffi.pointerCapturing(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER));

    /** {@code ibv_context_ops.poll_cq}; the function comes first, here and below. */
    private static final FunctionDescriptor POLL =
            FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, JAVA_INT, Ffi.POINTER);

    private static final MethodHandle POLL_CQ = Ffi.pointerDowncall(POLL);

    private static final MethodHandle REQ_NOTIFY_CQ =
            Ffi.pointerDowncall(FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, JAVA_INT));

    /** {@code post_send}, {@code post_recv} and {@code post_srq_recv}. */
    private static final MethodHandle POST =
            Ffi.pointerDowncall(
                    FunctionDescriptor.of(JAVA_INT, Ffi.POINTER, Ffi.POINTER, Ffi.POINTER));

    /** For a failure that left no errno. */
    private static final int EIO = 5;

    private Libibverbs() {}

    private static MemorySegment symbol(String name) {
        SymbolLookup library = LibibverbsLibrary.symbols();
        return library.find(name)
                .orElseThrow(
                        () ->
                                new UnsatisfiedLinkError(
                                        LibibverbsLibrary.NAME + " has no function " + name));
    }

    private static @Nullable MethodHandle optional(String name, FunctionDescriptor type) {
        return LibibverbsLibrary.symbols()
                .find(name)
                .map(function -> Ffi.capturing(function, type))
                .orElse(null);
    }

    private static MethodHandle pointer(String name, MemoryLayout... arguments) {
        return Ffi.capturing(symbol(name), FunctionDescriptor.of(Ffi.POINTER, arguments));
    }

    private static MethodHandle code(String name, MemoryLayout... arguments) {
        return Ffi.capturing(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    private static MethodHandle nothing(String name, MemoryLayout... arguments) {
        return Ffi.downcall(symbol(name), FunctionDescriptor.ofVoid(arguments));
    }

    private static MethodHandle plainLong(String name, MemoryLayout... arguments) {
        return Ffi.downcall(symbol(name), FunctionDescriptor.of(Ffi.POINTER, arguments));
    }

    /** Memory for one call at a time; the functions that need it say so. */
    public static MemorySegment callState(Arena arena) {
        return Ffi.callState(arena);
    }

    /** {@code ibv_get_device_list}: an array of pointers to devices, ended by null. */
    public static long getDeviceList(MemorySegment call) {
        return pointer(GET_DEVICE_LIST, call, 0);
    }

    public static void freeDeviceList(long list) {
        try {
            FREE_DEVICE_LIST.invokeExact(list);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code ibv_get_device_guid}, the most significant byte first. */
    public static long getDeviceGuid(long device) {
        try {
            return Struct.networkOrder((long) GET_DEVICE_GUID.invokeExact(device));
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static long openDevice(MemorySegment call, long device) {
        return pointer(OPEN_DEVICE, call, device);
    }

    public static int closeDevice(MemorySegment call, long context) {
        return code(CLOSE_DEVICE, call, context);
    }

    public static int queryDevice(MemorySegment call, long context, long attr) {
        return code(QUERY_DEVICE, call, context, attr);
    }

    /** The exported {@code ibv_query_port}, which fills in what old programs know. */
    public static int queryPortCompat(MemorySegment call, long context, int port, long attr) {
        try {
            return code(
                    (int) QUERY_PORT_COMPAT.invokeExact(call, context, (byte) port, attr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code query_port} of the {@code verbs_context}, which is told how large the result is. */
    public static int queryPort(
            MemorySegment call,
            MemorySegment function,
            long context,
            int port,
            long attr,
            long size) {
        try {
            return code(
                    (int) QUERY_PORT.invokeExact(function, call, context, (byte) port, attr, size),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int queryGid(MemorySegment call, long context, int port, int index, long gid) {
        try {
            return code((int) QUERY_GID.invokeExact(call, context, (byte) port, index, gid), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_query_pkey}.
     *
     * @param pkey the address of two bytes, which are in network order then
     */
    public static int queryPkey(MemorySegment call, long context, int port, int index, long pkey) {
        try {
            return code(
                    (int) QUERY_PKEY.invokeExact(call, context, (byte) port, index, pkey), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Whether there are {@link #queryGidEx} and {@link #queryGidTable}. */
    public static boolean hasQueryGidEx() {
        return QUERY_GID_EX != null && QUERY_GID_TABLE != null;
    }

    /**
     * {@code ibv_query_gid_ex}: {@code -ENODATA} if there is none.
     *
     * @param entry the address of {@link IbvLayouts.IbvGidEntry#BYTES} bytes
     */
    public static int queryGidEx(
            MemorySegment call, long context, int port, int index, long entry) {
        long size = IbvLayouts.IbvGidEntry.BYTES;
        try {
            return code(
                    (int)
                            requireNonNull(QUERY_GID_EX)
                                    .invokeExact(call, context, port, index, entry, 0, size),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_query_gid_table}: how many there are, of all ports, or a negative errno.
     *
     * @param entries the address of {@code max} times {@link IbvLayouts.IbvGidEntry#BYTES} bytes
     */
    public static long queryGidTable(MemorySegment call, long context, long entries, long max) {
        long size = IbvLayouts.IbvGidEntry.BYTES;
        try {
            return (long)
                    requireNonNull(QUERY_GID_TABLE)
                            .invokeExact(call, context, entries, max, 0, size);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static long allocPd(MemorySegment call, long context) {
        return pointer(ALLOC_PD, call, context);
    }

    public static int deallocPd(MemorySegment call, long pd) {
        return code(DEALLOC_PD, call, pd);
    }

    public static long regMr(MemorySegment call, long pd, long address, long length, int access) {
        try {
            return pointer((long) REG_MR.invokeExact(call, pd, address, length, access), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Whether there is {@link #regMrIova2}. */
    public static boolean hasRegMrIova2() {
        return REG_MR_IOVA2 != null;
    }

    /** {@code ibv_reg_mr_iova2}, which drops optional flags that the device does not know. */
    public static long regMrIova2(
            MemorySegment call, long pd, long address, long length, int access) {
        try {
            return pointer(
                    (long)
                            requireNonNull(REG_MR_IOVA2)
                                    .invokeExact(call, pd, address, length, address, access),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int deregMr(MemorySegment call, long mr) {
        return code(DEREG_MR, call, mr);
    }

    /**
     * {@code ibv_create_cq}.
     *
     * @param cqContext a number that comes back with each event
     * @param channel the {@code ibv_comp_channel}, or 0
     */
    public static long createCq(
            MemorySegment call, long context, int cqe, long cqContext, long channel, int vector) {
        try {
            return pointer(
                    (long) CREATE_CQ.invokeExact(call, context, cqe, cqContext, channel, vector),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int resizeCq(MemorySegment call, long cq, int cqe) {
        try {
            return code((int) RESIZE_CQ.invokeExact(call, cq, cqe), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code modify_cq} of the {@code verbs_context}. */
    public static int modifyCq(MemorySegment call, MemorySegment function, long cq, long attr) {
        try {
            return code((int) MODIFY_CQ.invokeExact(function, call, cq, attr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_destroy_cq}. Waits, without a limit and blocking the carrier, until every event
     * that was read is acknowledged with {@link #ackCqEvents} and {@link #ackAsyncEvent}.
     */
    public static int destroyCq(MemorySegment call, long cq) {
        return code(DESTROY_CQ, call, cq);
    }

    public static long createSrq(MemorySegment call, long pd, long initAttr) {
        return pointer(CREATE_SRQ, call, pd, initAttr);
    }

    public static int modifySrq(MemorySegment call, long srq, long attr, int mask) {
        try {
            return code((int) MODIFY_SRQ.invokeExact(call, srq, attr, mask), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int querySrq(MemorySegment call, long srq, long attr) {
        return code(QUERY_SRQ, call, srq, attr);
    }

    /** {@code ibv_destroy_srq}; waits for acknowledgements as {@link #destroyCq} does. */
    public static int destroySrq(MemorySegment call, long srq) {
        return code(DESTROY_SRQ, call, srq);
    }

    public static long createQp(MemorySegment call, long pd, long initAttr) {
        return pointer(CREATE_QP, call, pd, initAttr);
    }

    public static int modifyQp(MemorySegment call, long qp, long attr, int mask) {
        try {
            return code((int) MODIFY_QP.invokeExact(call, qp, attr, mask), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int queryQp(MemorySegment call, long qp, long attr, int mask, long initAttr) {
        try {
            return code((int) QUERY_QP.invokeExact(call, qp, attr, mask, initAttr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code ibv_destroy_qp}; waits for acknowledgements as {@link #destroyCq} does. */
    public static int destroyQp(MemorySegment call, long qp) {
        return code(DESTROY_QP, call, qp);
    }

    public static int attachMcast(MemorySegment call, long qp, long gid, int lid) {
        try {
            return code((int) ATTACH_MCAST.invokeExact(call, qp, gid, (short) lid), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int detachMcast(MemorySegment call, long qp, long gid, int lid) {
        try {
            return code((int) DETACH_MCAST.invokeExact(call, qp, gid, (short) lid), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static long createAh(MemorySegment call, long pd, long attr) {
        return pointer(CREATE_AH, call, pd, attr);
    }

    public static int destroyAh(MemorySegment call, long ah) {
        return code(DESTROY_AH, call, ah);
    }

    public static long createCompChannel(MemorySegment call, long context) {
        return pointer(CREATE_COMP_CHANNEL, call, context);
    }

    public static int destroyCompChannel(MemorySegment call, long channel) {
        return code(DESTROY_COMP_CHANNEL, call, channel);
    }

    /**
     * {@code ibv_get_cq_event}: {@code -EAGAIN} if there is none and the channel's descriptor is
     * non-blocking.
     *
     * @param cq the address where the CQ's address goes
     * @param cqContext the address where the number goes that the CQ was created with
     */
    public static int getCqEvent(MemorySegment call, long channel, long cq, long cqContext) {
        try {
            return code((int) GET_CQ_EVENT.invokeExact(call, channel, cq, cqContext), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static void ackCqEvents(long cq, int n) {
        try {
            ACK_CQ_EVENTS.invokeExact(cq, n);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_get_async_event}.
     *
     * @param event the address of {@link IbvLayouts.IbvAsyncEvent#BYTES} bytes
     */
    public static int getAsyncEvent(MemorySegment call, long context, long event) {
        return code(GET_ASYNC_EVENT, call, context, event);
    }

    public static void ackAsyncEvent(long event) {
        try {
            ACK_ASYNC_EVENT.invokeExact(event);
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
            return -Math.abs((int) POST.invokeExact(Ffi.function(function), queue, wr, badWr));
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private static long pointer(MethodHandle function, MemorySegment call, long a) {
        try {
            return pointer((long) function.invokeExact(call, a), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private static long pointer(MethodHandle function, MemorySegment call, long a, long b) {
        try {
            return pointer((long) function.invokeExact(call, a, b), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private static int code(MethodHandle function, MemorySegment call, long a) {
        try {
            return code((int) function.invokeExact(call, a), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private static int code(MethodHandle function, MemorySegment call, long a, long b) {
        try {
            return code((int) function.invokeExact(call, a, b), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private static long pointer(long result, MemorySegment call) {
        return result != 0 ? result : failure(call);
    }

    /**
     * Most verbs return the error number, some of some drivers its negative, and some -1 with the
     * number in errno.
     */
    private static int code(int result, MemorySegment call) {
        if (result == 0) {
            return 0;
        }
        return result == -1 ? failure(call) : -Math.abs(result);
    }

    private static int failure(MemorySegment call) {
        int errno = Ffi.errno(call);
        return errno > 0 ? -errno : -EIO;
    }
}
