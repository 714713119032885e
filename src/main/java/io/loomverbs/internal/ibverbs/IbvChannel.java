package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libc;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A completion channel of libibverbs.
 *
 * <p>Events are read only by {@code ibv_get_cq_event}: drivers count their arms there. After the
 * read, libibverbs' destroy of the CQ waits until the event is acknowledged. {@link IbvCq}
 * acknowledges all events at once before it destroys; the reader acknowledges an event that it
 * reads meanwhile.
 */
final class IbvChannel extends FdEventFeed implements ChannelOps {
    private final IbvContext context;
    private final long address;

    /** Its key in the context, which keeps it alive. */
    private final long id;

    // The memory of the reader.
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment call = Libibverbs.callState(arena);
    private final Struct event = Struct.allocate(arena, 2 * Long.BYTES);

    /** Made early: a channel can be destroyed though memory has run out. */
    private final Destruction destruction;

    /** Whether {@link #event} was not counted yet. */
    private boolean read;

    /** The CQ of the event that was counted and is not raised yet. */
    private @Nullable IbvCq counted;

    private IbvChannel(IbvContext context, Poller poller, long address, int fd) {
        super(poller, fd);
        this.context = context;
        this.address = address;
        this.destruction = () -> Libibverbs.destroyCompChannel(call, address);
        this.id = context.objects.add(this);
    }

    /** {@code ibv_create_comp_channel}. */
    static IbvChannel create(IbvContext context) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            long address = Libibverbs.createCompChannel(call, context.address());
            if (address < 0) {
                throw Refusals.of("ibv_create_comp_channel", address, context.toString());
            }
            boolean made = false;
            try {
                IbvChannel channel = of(context, address);
                made = true;
                return channel;
            } finally {
                if (!made) {
                    Libibverbs.destroyCompChannel(call, address);
                }
            }
        }
    }

    /** Takes over an {@code ibv_comp_channel}. */
    static IbvChannel of(IbvContext context, long address) {
        int fd =
                Struct.at(address, IbvLayouts.IbvCompChannel.FD + Integer.BYTES)
                        .i32(IbvLayouts.IbvCompChannel.FD);
        int rc = Libc.setNonBlocking(fd);
        if (rc != 0) {
            throw new DeviceException(-rc, "fcntl of the channel's descriptor " + fd);
        }
        return new IbvChannel(context, context.poller(), address, fd);
    }

    long address() {
        return address;
    }

    IbvContext context() {
        return context;
    }

    @Override
    public int fd() {
        return super.fd();
    }

    @Override
    public EventFeed feed() {
        return this;
    }

    /** A failing CQ also fails the threads that wait for its completions. */
    @Override
    public void join() {
        context.asyncEvents().arm();
        super.join();
    }

    @Override
    int read() {
        if (!read && counted == null) {
            int rc =
                    Libibverbs.getCqEvent(
                            call, address, event.address(), event.address() + Long.BYTES);
            read = rc == 0; // at once: no Error can come between
            if (rc != 0) {
                return rc;
            }
        }
        if (read) {
            count();
        }
        if (counted != null) {
            // Even if the CQ is being destroyed: should that fail, the event must not be lost.
            counted.events.completionEvent();
            counted = null;
        }
        return 0;
    }

    private void count() {
        long cq = event.i64(0);
        Object object = context.objects.get(event.i64(Long.BYTES));
        if (object instanceof IbvCq known) {
            known.eventWasRead(cq);
            counted = known;
        } else {
            Libibverbs.ackCqEvents(cq, 1);
        }
        read = false;
    }

    /** {@code -EBUSY} while CQs use it. */
    @Override
    public int destroy() {
        // No thread reads meanwhile, so the reader's memory is free.
        int rc = close(destruction);
        if (rc == 0) {
            context.objects.remove(id);
        }
        return rc;
    }
}
