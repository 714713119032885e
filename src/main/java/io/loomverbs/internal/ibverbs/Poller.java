package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.internal.ffi.UseCount;
import io.loomverbs.internal.jfr.RecordedWake;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

/**
 * One epoll set, and the leadership of the threads that wait for its descriptors. It has no thread:
 * the leader waits in it.
 *
 * <p>The set is level-triggered: the next wait reports an unread event again. So a leader need not
 * read until nothing is left, which would be one more system call for each event. A leader that has
 * its own event stops after the event that it is reading. Until then it reads up to {@link
 * #MAX_READS} events from each ready descriptor on which a thread waits, even if there are more
 * events than threads. {@link FdEventFeed} ensures that it does not spin.
 *
 * <p>While events come quickly, the leader reads without asking the set first: see {@link
 * EarlyReads}.
 *
 * <p>The kernel knows a descriptor by a number that is never reused ({@link NativeIds}), so its
 * report of a descriptor that was closed meanwhile finds nothing, even if there is a new descriptor
 * of the same value.
 */
class Poller implements EventSource { // not final: tests add probes to it
    private static final int MAX_READY = 64;

    /** How many events are read from one descriptor before the others have their turn. */
    private static final int MAX_READS = 16;

    private final Epoll epoll = Epoll.create(MAX_READY);
    private final NativeIds<FdEventFeed> polled = new NativeIds<>();
    private final Leadership leadership;

    /** The leader's own. */
    private final EarlyReads early = new EarlyReads();

    /** Whether an Error may have left something undone at a descriptor: see there. */
    volatile boolean hasLeftOver;

    /** The contexts; the owner is the one for which this was created. */
    private final UseCount contexts = new UseCount();

    /** For one context, which {@link #release}s it when it is closed. */
    Poller(Carriers carriers, String name) {
        this.leadership = new Leadership(this, carriers, name);
    }

    /** For another context. False if it was closed or has failed: then a new one is needed. */
    boolean tryRetain() {
        return !leadership.hasFailed() && contexts.enter();
    }

    /** Called when a context is closed, with everything in it. The last one closes this. */
    void release() {
        if (contexts.leave()) {
            try {
                leadership.end();
            } finally {
                epoll.close();
            }
        }
    }

    Leadership leadership() {
        return leadership;
    }

    Epoll epoll() {
        return epoll;
    }

    /** Puts a descriptor into the set, under its number: 0 or a negative errno. */
    int watch(int fd, long id) {
        return epoll().add(fd, id);
    }

    /** A number by which the kernel names the descriptor. */
    long add(FdEventFeed fd) {
        return polled.add(fd);
    }

    void remove(long id) {
        polled.remove(id);
    }

    /** The descriptor of that number, or null if it was removed. */
    @Nullable FdEventFeed find(long id) {
        return polled.get(id);
    }

    private int fetchLeftOver() {
        hasLeftOver = false; // first: another Error sets it again
        int raised = 0;
        boolean done = false;
        try {
            for (int place = 0; place < polled.places(); place++) {
                FdEventFeed fd = polled.at(place);
                raised += fd == null ? 0 : fd.fetchLeftOver();
            }
            done = true;
        } finally {
            if (!done) {
                hasLeftOver = true;
            }
        }
        return raised;
    }

    /** Reads from the descriptor that was ready last, if it is likely to be ready again. */
    private int readEarly(Leader leader) {
        long id = early.next();
        FdEventFeed fd = id == 0 ? null : find(id);
        if (fd == null || !fd.isAwaited()) {
            return 0;
        }
        int read = fd.ready(leader, MAX_READS, false);
        early.done(read > 0);
        return read;
    }

    @Override
    public int await(long nanos, Leader leader) {
        if (hasLeftOver) {
            return fetchLeftOver();
        }
        RecordedWake wake = Recorder.beginWake();
        int read = readEarly(leader);
        if (read > 0) {
            if (wake != null) {
                wake.ended(1, read);
            }
            return read;
        }
        int n = epoll.await(nanos);
        if (n < 0) {
            if (n == -Errno.EINTR) {
                return 0;
            }
            DeviceException failure = new DeviceException(-n, "epoll_wait: " + Errno.name(-n));
            Recorder.pollerFailure(failure);
            throw failure;
        }
        int raised = 0;
        for (int i = 0; i < n; i++) {
            long data = epoll.data(i);
            if (data == Epoll.WOKEN) {
                epoll.drainWakes();
                continue;
            }
            FdEventFeed fd = find(data);
            if (fd != null && leader.goesOn()) {
                raised += fd.ready(leader, MAX_READS, epoll.isError(i));
                early.reported(data);
            }
        }
        if (wake != null) {
            wake.ended(n, raised);
        }
        return raised;
    }

    @Override
    public void wake() {
        epoll.wake();
    }
}
