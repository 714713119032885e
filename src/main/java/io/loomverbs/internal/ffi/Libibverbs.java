package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions that {@code libibverbs.so.1} exports; {@link DriverFunctions} has the inline ones.
 * May be used only if {@link LibibverbsLibrary} has no cause of unavailability.
 *
 * <p>Functions that return a pointer return it, or a negative errno: no pointer is negative. Those
 * that return an error number return 0 or a negative errno, whatever its sign and place is in
 * libibverbs. {@code call} is memory of {@link #callState}, of the calling thread alone.
 */
public final class Libibverbs {
    private static final LibraryFunctions FUNCTIONS = LibibverbsLibrary.functions();

    private static final MethodHandle GET_DEVICE_LIST =
            FUNCTIONS.pointer("ibv_get_device_list", Ffi.POINTER);
    private static final MethodHandle FREE_DEVICE_LIST =
            FUNCTIONS.nothing("ibv_free_device_list", Ffi.POINTER);
    private static final MethodHandle GET_DEVICE_GUID =
            FUNCTIONS.number("ibv_get_device_guid", Ffi.POINTER);
    private static final MethodHandle OPEN_DEVICE =
            FUNCTIONS.pointer("ibv_open_device", Ffi.POINTER);
    private static final MethodHandle CLOSE_DEVICE =
            FUNCTIONS.code("ibv_close_device", Ffi.POINTER);
    private static final MethodHandle QUERY_DEVICE =
            FUNCTIONS.code("ibv_query_device", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle QUERY_PORT_COMPAT =
            FUNCTIONS.code("ibv_query_port", Ffi.POINTER, JAVA_BYTE, Ffi.POINTER);
    private static final MethodHandle QUERY_GID =
            FUNCTIONS.code("ibv_query_gid", Ffi.POINTER, JAVA_BYTE, JAVA_INT, Ffi.POINTER);

    private static final MethodHandle QUERY_PKEY =
            FUNCTIONS.code("ibv_query_pkey", Ffi.POINTER, JAVA_BYTE, JAVA_INT, Ffi.POINTER);

    /** What {@code ibv_query_gid_ex} calls; null in a library older than rdma-core 32. */
    private static final @Nullable MethodHandle QUERY_GID_EX =
            FUNCTIONS.optional(
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
            FUNCTIONS.optional(
                    "_ibv_query_gid_table",
                    FunctionDescriptor.of(
                            Ffi.SIZE_T,
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.SIZE_T,
                            JAVA_INT,
                            Ffi.SIZE_T));

    private static final MethodHandle ALLOC_PD = FUNCTIONS.pointer("ibv_alloc_pd", Ffi.POINTER);
    private static final MethodHandle DEALLOC_PD = FUNCTIONS.code("ibv_dealloc_pd", Ffi.POINTER);
    private static final MethodHandle REG_MR =
            FUNCTIONS.pointer("ibv_reg_mr", Ffi.POINTER, Ffi.POINTER, Ffi.SIZE_T, JAVA_INT);

    /**
     * What {@code ibv_reg_mr} calls for optional flags; null in a library older than rdma-core 28.
     */
    private static final @Nullable MethodHandle REG_MR_IOVA2 =
            FUNCTIONS.optional(
                    "ibv_reg_mr_iova2",
                    FunctionDescriptor.of(
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.POINTER,
                            Ffi.SIZE_T,
                            JAVA_LONG,
                            JAVA_INT));

    private static final MethodHandle REREG_MR =
            FUNCTIONS.code(
                    "ibv_rereg_mr",
                    Ffi.POINTER,
                    JAVA_INT,
                    Ffi.POINTER,
                    Ffi.POINTER,
                    Ffi.SIZE_T,
                    JAVA_INT);

    /** Null in a library older than rdma-core 34. */
    private static final @Nullable MethodHandle REG_DMABUF_MR =
            FUNCTIONS.optional(
                    "ibv_reg_dmabuf_mr",
                    FunctionDescriptor.of(
                            Ffi.POINTER,
                            Ffi.POINTER,
                            JAVA_LONG,
                            Ffi.SIZE_T,
                            JAVA_LONG,
                            JAVA_INT,
                            JAVA_INT));

    private static final MethodHandle DEREG_MR = FUNCTIONS.code("ibv_dereg_mr", Ffi.POINTER);
    private static final MethodHandle CREATE_CQ =
            FUNCTIONS.pointer(
                    "ibv_create_cq", Ffi.POINTER, JAVA_INT, Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle RESIZE_CQ =
            FUNCTIONS.code("ibv_resize_cq", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle DESTROY_CQ = FUNCTIONS.code("ibv_destroy_cq", Ffi.POINTER);
    private static final MethodHandle CREATE_SRQ =
            FUNCTIONS.pointer("ibv_create_srq", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle MODIFY_SRQ =
            FUNCTIONS.code("ibv_modify_srq", Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle QUERY_SRQ =
            FUNCTIONS.code("ibv_query_srq", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle DESTROY_SRQ = FUNCTIONS.code("ibv_destroy_srq", Ffi.POINTER);
    private static final MethodHandle CREATE_QP =
            FUNCTIONS.pointer("ibv_create_qp", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle MODIFY_QP =
            FUNCTIONS.code("ibv_modify_qp", Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle QUERY_QP =
            FUNCTIONS.code("ibv_query_qp", Ffi.POINTER, Ffi.POINTER, JAVA_INT, Ffi.POINTER);
    private static final MethodHandle DESTROY_QP = FUNCTIONS.code("ibv_destroy_qp", Ffi.POINTER);
    private static final MethodHandle ATTACH_MCAST =
            FUNCTIONS.code("ibv_attach_mcast", Ffi.POINTER, Ffi.POINTER, JAVA_SHORT);
    private static final MethodHandle DETACH_MCAST =
            FUNCTIONS.code("ibv_detach_mcast", Ffi.POINTER, Ffi.POINTER, JAVA_SHORT);
    private static final MethodHandle CREATE_AH =
            FUNCTIONS.pointer("ibv_create_ah", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle DESTROY_AH = FUNCTIONS.code("ibv_destroy_ah", Ffi.POINTER);
    private static final MethodHandle CREATE_COMP_CHANNEL =
            FUNCTIONS.pointer("ibv_create_comp_channel", Ffi.POINTER);
    private static final MethodHandle DESTROY_COMP_CHANNEL =
            FUNCTIONS.code("ibv_destroy_comp_channel", Ffi.POINTER);
    private static final MethodHandle GET_CQ_EVENT =
            FUNCTIONS.code("ibv_get_cq_event", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ACK_CQ_EVENTS =
            FUNCTIONS.nothing("ibv_ack_cq_events", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle GET_ASYNC_EVENT =
            FUNCTIONS.code("ibv_get_async_event", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ACK_ASYNC_EVENT =
            FUNCTIONS.nothing("ibv_ack_async_event", Ffi.POINTER);

    private Libibverbs() {}

    /** Memory for one call at a time; the functions that need it say so. */
    public static MemorySegment callState(Arena arena) {
        return Ffi.callState(arena);
    }

    /** {@code ibv_get_device_list}: an array of pointers to devices, ended by null. */
    public static long getDeviceList(MemorySegment call) {
        return Ffi.pointer(GET_DEVICE_LIST, call, 0);
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
        return Ffi.pointer(OPEN_DEVICE, call, device);
    }

    public static int closeDevice(MemorySegment call, long context) {
        return Ffi.code(CLOSE_DEVICE, call, context);
    }

    public static int queryDevice(MemorySegment call, long context, long attr) {
        return Ffi.code(QUERY_DEVICE, call, context, attr);
    }

    /** The exported {@code ibv_query_port}, which fills in the fields that old programs know. */
    public static int queryPortCompat(MemorySegment call, long context, int port, long attr) {
        try {
            return Ffi.code(
                    (int) QUERY_PORT_COMPAT.invokeExact(call, context, (byte) port, attr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int queryGid(MemorySegment call, long context, int port, int index, long gid) {
        try {
            return Ffi.code(
                    (int) QUERY_GID.invokeExact(call, context, (byte) port, index, gid), call);
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
            return Ffi.code(
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
            return Ffi.code(
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
        return Ffi.pointer(ALLOC_PD, call, context);
    }

    public static int deallocPd(MemorySegment call, long pd) {
        return Ffi.code(DEALLOC_PD, call, pd);
    }

    public static long regMr(MemorySegment call, long pd, long address, long length, int access) {
        try {
            return Ffi.pointer((long) REG_MR.invokeExact(call, pd, address, length, access), call);
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
            return Ffi.pointer(
                    (long)
                            requireNonNull(REG_MR_IOVA2)
                                    .invokeExact(call, pd, address, length, address, access),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_rereg_mr}: 0 or one of {@code enum ibv_rereg_mr_err_code}, which are negative;
     * then {@link #errno} says why.
     */
    public static int reregMr(
            MemorySegment call,
            long mr,
            int flags,
            long pd,
            long address,
            long length,
            int access) {
        try {
            return (int) REREG_MR.invokeExact(call, mr, flags, pd, address, length, access);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** The {@code errno} that the last call with {@code call} has left. */
    public static int errno(MemorySegment call) {
        return Ffi.errno(call);
    }

    /** Whether there is {@link #regDmabufMr}. */
    public static boolean hasRegDmabufMr() {
        return REG_DMABUF_MR != null;
    }

    /** {@code ibv_reg_dmabuf_mr}. */
    public static long regDmabufMr(
            MemorySegment call, long pd, long offset, long length, long iova, int fd, int access) {
        try {
            return Ffi.pointer(
                    (long)
                            requireNonNull(REG_DMABUF_MR)
                                    .invokeExact(call, pd, offset, length, iova, fd, access),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int deregMr(MemorySegment call, long mr) {
        return Ffi.code(DEREG_MR, call, mr);
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
            return Ffi.pointer(
                    (long) CREATE_CQ.invokeExact(call, context, cqe, cqContext, channel, vector),
                    call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int resizeCq(MemorySegment call, long cq, int cqe) {
        try {
            return Ffi.code((int) RESIZE_CQ.invokeExact(call, cq, cqe), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code ibv_destroy_cq}. Waits, without a limit and blocking the carrier, until every event
     * that was read is acknowledged with {@link #ackCqEvents} and {@link #ackAsyncEvent}.
     */
    public static int destroyCq(MemorySegment call, long cq) {
        return Ffi.code(DESTROY_CQ, call, cq);
    }

    public static long createSrq(MemorySegment call, long pd, long initAttr) {
        return Ffi.pointer(CREATE_SRQ, call, pd, initAttr);
    }

    public static int modifySrq(MemorySegment call, long srq, long attr, int mask) {
        try {
            return Ffi.code((int) MODIFY_SRQ.invokeExact(call, srq, attr, mask), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int querySrq(MemorySegment call, long srq, long attr) {
        return Ffi.code(QUERY_SRQ, call, srq, attr);
    }

    /** {@code ibv_destroy_srq}; waits for acknowledgements as {@link #destroyCq} does. */
    public static int destroySrq(MemorySegment call, long srq) {
        return Ffi.code(DESTROY_SRQ, call, srq);
    }

    public static long createQp(MemorySegment call, long pd, long initAttr) {
        return Ffi.pointer(CREATE_QP, call, pd, initAttr);
    }

    public static int modifyQp(MemorySegment call, long qp, long attr, int mask) {
        try {
            return Ffi.code((int) MODIFY_QP.invokeExact(call, qp, attr, mask), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int queryQp(MemorySegment call, long qp, long attr, int mask, long initAttr) {
        try {
            return Ffi.code((int) QUERY_QP.invokeExact(call, qp, attr, mask, initAttr), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code ibv_destroy_qp}; waits for acknowledgements as {@link #destroyCq} does. */
    public static int destroyQp(MemorySegment call, long qp) {
        return Ffi.code(DESTROY_QP, call, qp);
    }

    public static int attachMcast(MemorySegment call, long qp, long gid, int lid) {
        try {
            return Ffi.code((int) ATTACH_MCAST.invokeExact(call, qp, gid, (short) lid), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int detachMcast(MemorySegment call, long qp, long gid, int lid) {
        try {
            return Ffi.code((int) DETACH_MCAST.invokeExact(call, qp, gid, (short) lid), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static long createAh(MemorySegment call, long pd, long attr) {
        return Ffi.pointer(CREATE_AH, call, pd, attr);
    }

    public static int destroyAh(MemorySegment call, long ah) {
        return Ffi.code(DESTROY_AH, call, ah);
    }

    public static long createCompChannel(MemorySegment call, long context) {
        return Ffi.pointer(CREATE_COMP_CHANNEL, call, context);
    }

    public static int destroyCompChannel(MemorySegment call, long channel) {
        return Ffi.code(DESTROY_COMP_CHANNEL, call, channel);
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
            return Ffi.code((int) GET_CQ_EVENT.invokeExact(call, channel, cq, cqContext), call);
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
        return Ffi.code(GET_ASYNC_EVENT, call, context, event);
    }

    public static void ackAsyncEvent(long event) {
        try {
            ACK_ASYNC_EVENT.invokeExact(event);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }
}
