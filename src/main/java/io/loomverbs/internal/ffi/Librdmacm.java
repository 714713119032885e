package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code librdmacm.so.1}. May be used only if {@link LibrdmacmLibrary} has no
 * cause of unavailability.
 *
 * <p>Functions return 0, or a pointer, or a negative errno. {@code call} is memory of {@link
 * Libibverbs#callState}, of the calling thread alone.
 */
public final class Librdmacm {
    private static final LibraryFunctions FUNCTIONS = LibrdmacmLibrary.functions();

    private static final MethodHandle CREATE_EVENT_CHANNEL =
            FUNCTIONS.pointer("rdma_create_event_channel");
    private static final MethodHandle DESTROY_EVENT_CHANNEL =
            FUNCTIONS.nothing("rdma_destroy_event_channel", Ffi.POINTER);
    private static final MethodHandle CREATE_ID =
            FUNCTIONS.code("rdma_create_id", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle DESTROY_ID = FUNCTIONS.code("rdma_destroy_id", Ffi.POINTER);
    private static final MethodHandle BIND_ADDR =
            FUNCTIONS.code("rdma_bind_addr", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle RESOLVE_ADDR =
            FUNCTIONS.code("rdma_resolve_addr", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER, JAVA_INT);
    private static final MethodHandle RESOLVE_ROUTE =
            FUNCTIONS.code("rdma_resolve_route", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle CONNECT =
            FUNCTIONS.code("rdma_connect", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ESTABLISH = FUNCTIONS.code("rdma_establish", Ffi.POINTER);
    private static final MethodHandle LISTEN = FUNCTIONS.code("rdma_listen", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle ACCEPT =
            FUNCTIONS.code("rdma_accept", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle REJECT =
            FUNCTIONS.code("rdma_reject", Ffi.POINTER, Ffi.POINTER, JAVA_BYTE);
    private static final MethodHandle NOTIFY = FUNCTIONS.code("rdma_notify", Ffi.POINTER, JAVA_INT);
    private static final MethodHandle DISCONNECT = FUNCTIONS.code("rdma_disconnect", Ffi.POINTER);
    private static final MethodHandle INIT_QP_ATTR =
            FUNCTIONS.code("rdma_init_qp_attr", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle SET_OPTION =
            FUNCTIONS.code(
                    "rdma_set_option", Ffi.POINTER, JAVA_INT, JAVA_INT, Ffi.POINTER, Ffi.SIZE_T);
    private static final MethodHandle JOIN_MULTICAST =
            FUNCTIONS.code("rdma_join_multicast", Ffi.POINTER, Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle LEAVE_MULTICAST =
            FUNCTIONS.code("rdma_leave_multicast", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle GET_CM_EVENT =
            FUNCTIONS.code("rdma_get_cm_event", Ffi.POINTER, Ffi.POINTER);
    private static final MethodHandle ACK_CM_EVENT =
            FUNCTIONS.code("rdma_ack_cm_event", Ffi.POINTER);

    private Librdmacm() {}

    /** {@code rdma_create_event_channel}: its address. */
    public static long createEventChannel(MemorySegment call) {
        try {
            return Ffi.pointer((long) CREATE_EVENT_CHANNEL.invokeExact(call), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code rdma_destroy_event_channel}; no thread may read from it. */
    public static void destroyEventChannel(long channel) {
        try {
            DESTROY_EVENT_CHANNEL.invokeExact(channel);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code rdma_create_id}.
     *
     * @param id the address where that of the id goes
     * @param context a number that each event's id has
     */
    public static int createId(MemorySegment call, long channel, long id, long context, int ps) {
        try {
            return Ffi.code((int) CREATE_ID.invokeExact(call, channel, id, context, ps), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code rdma_destroy_id}. Waits, blocking the carrier, until every event of the id that was
     * read is acknowledged.
     */
    public static int destroyId(MemorySegment call, long id) {
        return Ffi.code(DESTROY_ID, call, id);
    }

    public static int bindAddr(MemorySegment call, long id, long address) {
        return Ffi.code(BIND_ADDR, call, id, address);
    }

    /** {@code rdma_resolve_addr}; {@code from} may be 0. */
    public static int resolveAddr(MemorySegment call, long id, long from, long to, int millis) {
        try {
            return Ffi.code((int) RESOLVE_ADDR.invokeExact(call, id, from, to, millis), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int resolveRoute(MemorySegment call, long id, int millis) {
        return Ffi.code(RESOLVE_ROUTE, call, id, millis);
    }

    public static int connect(MemorySegment call, long id, long param) {
        return Ffi.code(CONNECT, call, id, param);
    }

    public static int establish(MemorySegment call, long id) {
        return Ffi.code(ESTABLISH, call, id);
    }

    public static int listen(MemorySegment call, long id, int backlog) {
        return Ffi.code(LISTEN, call, id, backlog);
    }

    public static int accept(MemorySegment call, long id, long param) {
        return Ffi.code(ACCEPT, call, id, param);
    }

    public static int reject(MemorySegment call, long id, long privateData, int length) {
        try {
            return Ffi.code((int) REJECT.invokeExact(call, id, privateData, (byte) length), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code rdma_notify}, with the number of an asynchronous event. */
    public static int notify(MemorySegment call, long id, int event) {
        return Ffi.code(NOTIFY, call, id, event);
    }

    public static int disconnect(MemorySegment call, long id) {
        return Ffi.code(DISCONNECT, call, id);
    }

    /** {@code rdma_join_multicast}, without a context. */
    public static int joinMulticast(MemorySegment call, long id, long group) {
        try {
            return Ffi.code((int) JOIN_MULTICAST.invokeExact(call, id, group, 0L), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code rdma_leave_multicast}. Waits, blocking the carrier, until the events of the group that
     * were read are acknowledged.
     */
    public static int leaveMulticast(MemorySegment call, long id, long group) {
        return Ffi.code(LEAVE_MULTICAST, call, id, group);
    }

    /**
     * {@code rdma_init_qp_attr}.
     *
     * @param attr the address of {@link IbvLayouts.IbvQpAttr#BYTES} bytes, with the state in it
     * @param mask the address where the mask goes
     */
    public static int initQpAttr(MemorySegment call, long id, long attr, long mask) {
        try {
            return Ffi.code((int) INIT_QP_ATTR.invokeExact(call, id, attr, mask), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    public static int setOption(
            MemorySegment call, long id, int level, int option, long value, long bytes) {
        try {
            return Ffi.code(
                    (int) SET_OPTION.invokeExact(call, id, level, option, value, bytes), call);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * {@code rdma_get_cm_event}: {@code -EAGAIN} if there is none and the channel's descriptor is
     * non-blocking. Opens devices and queries them.
     *
     * @param event the address where that of the event goes
     */
    public static int getCmEvent(MemorySegment call, long channel, long event) {
        return Ffi.code(GET_CM_EVENT, call, channel, event);
    }

    /** {@code rdma_ack_cm_event}: frees the event and its private data. */
    public static int ackCmEvent(MemorySegment call, long event) {
        return Ffi.code(ACK_CM_EVENT, call, event);
    }
}
