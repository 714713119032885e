package io.loomverbs.internal.rdmacm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.HelperThreads;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.internal.ffi.Libc;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Librdmacm;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaEventChannel;
import io.loomverbs.internal.ffi.Struct;
import io.loomverbs.internal.ibverbs.OffCarrierCalls;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** The event channel that all ids share, and the thread that reads it. */
final class RdmacmChannel {
    /*
     * The reader waits in an epoll set for the channel's descriptor, which is non-blocking: a read
     * of an empty channel would block in the kernel until an event comes, and closing the
     * descriptor does not end that. An eventfd ends the wait when the last id is destroyed; the
     * reader itself then destroys the channel, so no thread ever reads a channel that is gone.
     *
     * *** Reading and destroying ***
     *
     * rdma_destroy_id waits, without limit, until every event of the id that was read is
     * acknowledged. The reader acknowledges each event as soon as it is copied, before anybody
     * hears of it, and waits for nothing in between: so a destroyer waits for some instructions at
     * most, whichever thread it is, the reader included. Meanwhile librdmacm keeps the id.
     *
     * An event may be copied just before its id is destroyed, and raised afterwards. It names its
     * id by a number, which is not reused: the number of a destroyed id finds nothing.
     *
     * *** Errors ***
     *
     * The reader must not end while there are ids. An Error while it copies an event, such as lack
     * of memory, acknowledges the event, and tells the id that its channel has failed: a thread
     * that waits for the lost event is woken. If the channel itself fails, all ids are told.
     */
    private static final ReentrantLock SHARED = new ReentrantLock();

    /** Made in advance, for the lack of memory. */
    private static final CmEvent LOST = CmEvent.of(Cm.CHANNEL_FAILED, -Errno.ENOMEM);

    private static final long PAUSE_NANOS = 1_000_000;
    private static final long EVENTS = 1;

    @GuardedBy("SHARED")
    private static @Nullable RdmacmChannel current;

    /** How many ids use it. */
    @GuardedBy("SHARED")
    private int users;

    private final long address;
    private final int fd;
    private final Epoll epoll;
    private final ConcurrentHashMap<Long, RdmacmId> ids = new ConcurrentHashMap<>();
    private final AtomicLong lastNumber = new AtomicLong();

    /** Written once, before the reader is woken. */
    private volatile boolean ended;

    private RdmacmChannel(long address, int fd, Epoll epoll) {
        this.address = address;
        this.fd = fd;
        this.epoll = epoll;
    }

    /** For one id, which is to {@link #release} it. */
    static RdmacmChannel retain() {
        SHARED.lock();
        try {
            RdmacmChannel channel = current;
            if (channel == null) {
                channel = OffCarrierCalls.run("rdma_create_event_channel", RdmacmChannel::open);
                current = channel;
            }
            channel.users++;
            return channel;
        } finally {
            SHARED.unlock();
        }
    }

    /** A number for a further id of this channel, which is to {@link #release(long)} it. */
    long retainFor(RdmacmId id) {
        SHARED.lock();
        try {
            long number = add(id);
            users++;
            return number;
        } finally {
            SHARED.unlock();
        }
    }

    /** For the id of that number, whose object is destroyed. Again, it does nothing. */
    void release(long number) {
        boolean last;
        SHARED.lock();
        try {
            last = ids.remove(number) != null && leave();
        } finally {
            SHARED.unlock();
        }
        if (last) {
            end();
        }
    }

    /** For an id that came to nothing. */
    void release() {
        boolean last;
        SHARED.lock();
        try {
            last = leave();
        } finally {
            SHARED.unlock();
        }
        if (last) {
            end();
        }
    }

    @GuardedBy("SHARED")
    private boolean leave() {
        users--;
        if (users > 0) {
            return false;
        }
        if (current == this) {
            current = null;
        }
        return true;
    }

    private void end() {
        ended = true;
        epoll.wake();
    }

    private static RdmacmChannel open() {
        try (Arena arena = Arena.ofConfined()) {
            long address = Librdmacm.createEventChannel(Libibverbs.callState(arena));
            if (address < 0) {
                throw new DeviceException((int) -address, "no event channel");
            }
            Epoll epoll = null;
            boolean opened = false;
            try {
                int fd = Struct.i32At(address + RdmaEventChannel.FD);
                epoll = Epoll.create(2);
                check(Libc.setNonBlocking(fd));
                check(epoll.add(fd, EVENTS));
                RdmacmChannel channel = new RdmacmChannel(address, fd, epoll);
                HelperThreads.unstarted("loomverbs-rdmacm", channel::run).start();
                opened = true;
                return channel;
            } catch (Epoll.Refused e) {
                throw new DeviceException(e.errno(), String.valueOf(e.getMessage()));
            } finally {
                if (!opened) {
                    if (epoll != null) {
                        epoll.close();
                    }
                    Librdmacm.destroyEventChannel(address);
                }
            }
        }
    }

    private static void check(int rc) {
        if (rc != 0) {
            throw new DeviceException(-rc, "the descriptor of the event channel");
        }
    }

    long address() {
        return address;
    }

    /** A number for an id, by which events name it. */
    long add(RdmacmId id) {
        long number = lastNumber.incrementAndGet();
        ids.put(number, id);
        return number;
    }

    void remove(long number) {
        ids.remove(number);
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            EventReader reader = new EventReader(this, arena);
            while (!ended) {
                try {
                    if (!awaitAndRead(reader)) {
                        return;
                    }
                } catch (Error e) { // of this thread: the events are still there
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        } finally {
            epoll.remove(fd);
            epoll.close();
            Librdmacm.destroyEventChannel(address);
        }
    }

    /** False if the channel has failed, after all ids were told. */
    private boolean awaitAndRead(EventReader reader) {
        int n = epoll.await(Long.MAX_VALUE);
        for (int i = 0; i < n; i++) {
            if (epoll.data(i) == Epoll.WOKEN) {
                epoll.drainWakes();
            }
        }
        int rc = n < 0 ? n : reader.readAll();
        if (rc == 0 || rc == -Errno.EAGAIN || rc == -Errno.EINTR) {
            return true;
        }
        fail(rc);
        return false;
    }

    /** Waits, nevertheless, until the last id is gone: only then may the channel go. */
    private void fail(int rc) {
        SHARED.lock();
        try {
            if (current == this) {
                current = null;
            }
        } finally {
            SHARED.unlock();
        }
        CmEvent failure = CmEvent.of(Cm.CHANNEL_FAILED, rc);
        ids.values().forEach(id -> id.raise(failure));
        epoll.remove(fd);
        while (!ended) {
            epoll.await(Long.MAX_VALUE);
            epoll.drainWakes();
        }
    }

    /** Raises an event in the id of that number; if there is none, its new id goes. */
    void raise(long number, @Nullable CmEvent event) {
        RdmacmId id = ids.get(number);
        if (id != null) {
            id.raise(event == null ? LOST : event);
        } else if (event != null && event.incoming() != null) {
            event.incoming().destroy();
        }
    }
}
