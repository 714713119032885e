package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libc;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The asynchronous events of a context.
 *
 * <p>Events are acknowledged to libibverbs at once: {@link io.loomverbs.internal.event.Ledger}s
 * keep an object until the application has acknowledged. Once a thread waits for anything in the
 * context, events are read until the context is closed, so that a failing CQ fails its waiters.
 */
final class IbvAsyncEvents extends FdEventFeed {
    /** In place of an object that was closed after its device had gone. */
    private static final Object UNKNOWN = new Object();

    private final IbvContext context;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment call = Libibverbs.callState(arena);
    private final Struct event = Struct.allocate(arena, IbvLayouts.IbvAsyncEvent.BYTES);

    /** Whether {@link #event} is not acknowledged to libibverbs yet. */
    private boolean read;

    /** Whether it is acknowledged and not raised yet; the fields below describe it. */
    private boolean acknowledged;

    private int type;
    private int port;
    private @Nullable Object object;

    IbvAsyncEvents(IbvContext context, Poller poller, int fd) {
        super(poller, fd);
        this.context = context;
        int rc = Libc.setNonBlocking(fd);
        if (rc != 0) {
            throw new DeviceException(-rc, "fcntl of async_fd " + fd);
        }
    }

    @Override
    boolean isAlwaysRead() {
        return true;
    }

    @Override
    int read() {
        if (!read && !acknowledged) {
            int rc = Libibverbs.getAsyncEvent(call, context.address(), event.address());
            read = rc == 0; // at once: no Error can come between
            if (rc != 0) {
                return rc;
            }
        }
        if (read) {
            acknowledge();
        }
        raise();
        acknowledged = false;
        return 0;
    }

    private void acknowledge() {
        type = event.i32(IbvLayouts.IbvAsyncEvent.EVENT_TYPE);
        port = 0;
        object = null;
        switch (type) {
            case Ibv.EVENT_CQ_ERR -> object = object(IbvLayouts.IbvCq.CQ_CONTEXT);
            case Ibv.EVENT_QP_FATAL,
                    Ibv.EVENT_QP_REQ_ERR,
                    Ibv.EVENT_QP_ACCESS_ERR,
                    Ibv.EVENT_COMM_EST,
                    Ibv.EVENT_SQ_DRAINED,
                    Ibv.EVENT_PATH_MIG,
                    Ibv.EVENT_PATH_MIG_ERR,
                    Ibv.EVENT_QP_LAST_WQE_REACHED ->
                    object = object(IbvLayouts.IbvQp.QP_CONTEXT);
            case Ibv.EVENT_SRQ_ERR, Ibv.EVENT_SRQ_LIMIT_REACHED ->
                    object = object(IbvLayouts.IbvSrq.SRQ_CONTEXT);
            case Ibv.EVENT_PORT_ACTIVE,
                    Ibv.EVENT_PORT_ERR,
                    Ibv.EVENT_LID_CHANGE,
                    Ibv.EVENT_PKEY_CHANGE,
                    Ibv.EVENT_SM_CHANGE,
                    Ibv.EVENT_CLIENT_REREGISTER,
                    Ibv.EVENT_GID_CHANGE ->
                    port = event.i32(IbvLayouts.IbvAsyncEvent.ELEMENT);
            default -> {} // of the device, or of a kind that is not used here
        }
        // Before it is raised: a destroyer of the object waits for this, and blocks its carrier.
        Libibverbs.ackAsyncEvent(event.address());
        acknowledged = true;
        read = false;
    }

    private void raise() {
        if (object instanceof IbvCq cq) {
            cq.events.asyncEvent(type);
        } else if (object instanceof IbvQp qp) {
            qp.events.asyncEvent(type);
        } else if (object instanceof IbvSrq srq) {
            srq.events.asyncEvent(type);
        } else if (object != UNKNOWN) {
            context.events.asyncEvent(type, port);
        }
        object = null;
    }

    /**
     * The object that libibverbs' element was created for; the element exists until the event is
     * acknowledged.
     */
    private Object object(int contextOffset) {
        long element = event.i64(IbvLayouts.IbvAsyncEvent.ELEMENT);
        Object known =
                context.objects.get(
                        Struct.at(element, contextOffset + Long.BYTES).i64(contextOffset));
        return known == null ? UNKNOWN : known;
    }
}
