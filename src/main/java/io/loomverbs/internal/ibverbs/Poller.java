package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Epoll;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One epoll set, and the leadership of those who wait for what is in it. A state machine, no
 * thread: whoever leads waits in it.
 *
 * <p>Level-triggered: an event that nobody reads is told of again, by the next wait. So a leader
 * reads no more than it has takers for, and need not read on until there is nothing: that would be
 * a system call more for each event. {@link PolledFd} sees to it that it does not spin.
 *
 * <p>A descriptor is known to the kernel by a number that is never used again ({@link Registry}),
 * so what it says of one that was closed meanwhile finds nothing, even if there is a new one of the
 * same value.
 */
class Poller implements EventSource { // not final: races run it with one step wrong
    private static final int MAX_READY = 64;

    /** How many events are read from one descriptor before the others have their turn. */
    private static final int MAX_READS = 16;

    private final Epoll epoll = Epoll.create(MAX_READY);
    private final Registry<PolledFd> polled = new Registry<>();
    private final Leadership leadership;

    /** The pollers that contexts share. */
    private static final class Shared {
        private static final int COUNT = Math.max(1, Integer.getInteger("loomverbs.pollers", 1));
        private static final Poller[] ALL = new Poller[COUNT];
        private static final AtomicInteger LAST = new AtomicInteger();

        static synchronized Poller next() {
            int i = Math.floorMod(LAST.getAndIncrement(), COUNT);
            if (ALL[i] == null) {
                Carriers carriers =
                        Boolean.getBoolean("loomverbs.pollerThreads")
                                ? new NoCarriers()
                                : SchedulerCarriers.get();
                ALL[i] = new Poller(carriers, "loomverbs-poller-" + i);
            }
            return ALL[i];
        }
    }

    /** No virtual thread leads: a platform thread does. */
    private static final class NoCarriers implements Carriers {
        @Override
        public boolean borrow() {
            return false;
        }

        @Override
        public void giveBack() {
            throw new AssertionError("nothing was lent");
        }
    }

    /** For a context that is opened: its channels and asynchronous events share one. */
    static Poller shared() {
        return Shared.next();
    }

    Poller(Carriers carriers, String name) {
        this.leadership = new Leadership(this, carriers, name);
    }

    Leadership leadership() {
        return leadership;
    }

    Epoll epoll() {
        return epoll;
    }

    /** A number for the descriptor, by which the kernel is to name it. */
    long add(PolledFd fd) {
        return polled.add(fd);
    }

    void remove(long id) {
        polled.remove(id);
    }

    /** The descriptor of that number, or null if it was removed. */
    @Nullable PolledFd find(long id) {
        return polled.get(id);
    }

    @Override
    public int await(long nanos, Leader leader) {
        int n = epoll.await(nanos);
        if (n < 0) {
            if (n == -Errno.EINTR) {
                return 0;
            }
            throw new DeviceException(-n, "epoll_wait");
        }
        int raised = 0;
        for (int i = 0; i < n; i++) {
            long data = epoll.data(i);
            if (data == Epoll.WOKEN) {
                epoll.drainWakes();
                continue;
            }
            PolledFd fd = find(data);
            if (fd != null && leader.goesOn()) {
                raised += fd.ready(leader, MAX_READS);
            }
        }
        return raised;
    }

    @Override
    public void wake() {
        epoll.wake();
    }
}
