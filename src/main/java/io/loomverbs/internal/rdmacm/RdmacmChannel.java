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
     * acknowledged. The reader acknowledges each event as soon as it is copied, before it tells any
     * thread, and waits for nothing in between: so a destroyer waits for a few instructions at
     * most, whichever thread it is, even the reader. Meanwhile librdmacm keeps the id.
     *
     * An event may be copied just before its id is destroyed, and raised afterwards. It names its
     * id by a number, which is not reused: the number of a destroyed id finds nothing.
     *
     * *** Errors ***
     *
     * The reader must not end while there are ids: it destroys the channel that they use. So it has
     * its memory before it starts, and survives whatever a step throws. If a copy fails for lack of
     * memory, the reader acknowledges the event, and notifies the id (LostEvents): that wakes a
     * thread that waits for the lost event, and a lost end of a connection still ends it. If a
     * listener ends with an Error, the event is raised again. If the channel itself fails, the
     * reader notifies all ids, and waits until the last one is gone.
     */
    private static final ReentrantLock SHARED = new ReentrantLock();

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
    final EventCalls calls;
    private final EventReader reader;
    private final ConcurrentHashMap<Long, RdmacmId> ids = new ConcurrentHashMap<>();
    private final AtomicLong lastNumber = new AtomicLong();

    /** Written once, before the reader is woken. */
    private volatile boolean ended;

    /** The reader's: whether its last read has found events. */
    private boolean readsAgain;

    /** Why it has failed, for all ids; null if it has not. Written by the reader. */
    private volatile @Nullable CmEvent failure;

    RdmacmChannel(long address, int fd, Epoll epoll, EventCalls calls) {
        this.address = address;
        this.fd = fd;
        this.epoll = epoll;
        this.calls = calls;
        this.reader = new EventReader(this);
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

    /** For an id that could not be made. */
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
                RdmacmChannel channel = new RdmacmChannel(address, fd, epoll, EventCalls.LIBRDMACM);
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
        CmEvent failed = failure; // after the id can be found: see fail
        if (failed != null) {
            id.raise(failed);
        }
        return number;
    }

    void remove(long number) {
        ids.remove(number);
    }

    private void run() {
        boolean told = false;
        while (!ended) {
            try {
                if (failure == null) {
                    awaitAndRead();
                } else if (!told) {
                    tellFailure(failure);
                    told = true;
                } else if (awaitWake() < 0) {
                    pause();
                }
            } catch (RuntimeException | Error e) { // the events, or what is to be done, are there
                pause();
            }
        }
        try {
            epoll.remove(fd);
            epoll.close();
        } finally {
            Librdmacm.destroyEventChannel(address);
        }
    }

    private static void pause() {
        try {
            LockSupport.parkNanos(PAUSE_NANOS);
        } catch (Error e) {
            // There is no pause then.
        }
    }

    /*
     * Events come in bursts, when many threads connect at once, and each event makes some thread
     * run that soon causes the next. A reader that waits is woken for each event, and preempts
     * these threads if there is no other processor. So after events it lets others run, and reads
     * again before it waits.
     */
    @SuppressWarnings("ThreadPriorityCheck") // a hint
    private void awaitAndRead() {
        int n = reader.hasTaken() || readsAgain ? 0 : awaitWake();
        int before = reader.events();
        int rc = n < 0 ? n : readAll();
        readsAgain = reader.events() != before;
        if (readsAgain) {
            Thread.yield();
        }
        if (rc != 0 && rc != -Errno.EAGAIN && rc != -Errno.EINTR) {
            fail(rc);
        }
    }

    /** As {@link EventReader#readAll}. */
    int readAll() {
        return reader.readAll();
    }

    /** Waits for events, or for the end. */
    private int awaitWake() {
        int n = epoll.await(Long.MAX_VALUE);
        for (int i = 0; i < n; i++) {
            if (epoll.data(i) == Epoll.WOKEN) {
                epoll.drainWakes();
            }
        }
        return n;
    }

    /** From now on no id is made here; one that is being made sees the failure, or is notified. */
    private void fail(int rc) {
        CmEvent cause = CmEvent.of(Cm.CHANNEL_FAILED, rc);
        SHARED.lock();
        try {
            if (current == this) {
                current = null;
            }
        } finally {
            SHARED.unlock();
        }
        failure = cause;
    }

    private void tellFailure(CmEvent cause) {
        epoll.remove(fd);
        Error met = null;
        for (RdmacmId id : ids.values()) {
            try {
                raise(id, cause);
            } catch (Error e) {
                met = e;
            }
        }
        if (met != null) {
            throw met;
        }
    }

    /** Raises an event in the id of that number; if there is none, its new id goes. */
    void raise(long number, CmEvent event) {
        RdmacmId id = ids.get(number);
        if (id != null) {
            raise(id, event);
        } else if (event.incoming() != null) {
            event.incoming().destroy();
        }
    }

    /** An exception of a listener does not affect the other ids: it is reported. */
    private static void raise(RdmacmId id, CmEvent event) {
        try {
            id.raise(event);
        } catch (RuntimeException e) {
            report(e);
        }
    }

    /** As the JVM does when a thread ends: exceptions of the handler are ignored. */
    private static void report(RuntimeException thrown) {
        Thread me = Thread.currentThread();
        try {
            me.getUncaughtExceptionHandler().uncaughtException(me, thrown);
        } catch (RuntimeException ignored) {
            // There is nothing left to report it to.
        }
    }
}
