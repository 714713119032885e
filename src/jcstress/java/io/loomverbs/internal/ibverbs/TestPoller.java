package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.ffi.Epoll;

import java.lang.reflect.Field;

/** The real poller on a real epoll set that can be closed, or broken; perhaps with one fault. */
class TestPoller extends Poller {
    /** What is wrong. */
    enum Fault {
        NONE,
        /** Numbers are used again. */
        NO_GENERATIONS,
        /** A leader takes wake-ups away before it waits, not after. */
        DRAINS_FIRST,
        /** A wait that has failed is taken for one that was interrupted. */
        SWALLOWS_FAILURES
    }

    private final Fault fault;
    private final FdEventFeed[] places = new FdEventFeed[4];
    private final int epollFd;

    TestPoller() {
        this(Fault.NONE);
    }

    TestPoller(Fault fault) {
        super(new OnPlatformThreads(), "test-poller");
        this.fault = fault;
        this.epollFd = epollFd();
    }

    /** Actors are no virtual threads, and nobody else waits. */
    private static final class OnPlatformThreads implements Carriers {
        @Override
        public Loan ask(Borrower borrower) {
            throw new AssertionError("a virtual thread leads");
        }

        @Override
        public void giveBack() {}
    }

    private int epollFd() {
        try {
            Field fd = Epoll.class.getDeclaredField("fd");
            fd.setAccessible(true);
            return fd.getInt(epoll());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** A leader that comes by, and does not stay. */
    void look() {
        await(0, () -> true);
    }

    /** The set is gone: who waits in it, or adds to it, fails from now on. */
    void destroy() {
        EventFds.reuse(epollFd, EventFds.create(0));
        wake();
    }

    /** No descriptor is left in it. */
    void close() {
        release();
    }

    @Override
    long add(FdEventFeed fd) {
        if (fault != Fault.NO_GENERATIONS) {
            return super.add(fd);
        }
        int place = 0;
        while (places[place] != null) {
            place++;
        }
        places[place] = fd;
        return place + 1L;
    }

    @Override
    void remove(long id) {
        if (fault == Fault.NO_GENERATIONS) {
            places[(int) id - 1] = null;
        } else {
            super.remove(id);
        }
    }

    @Override
    FdEventFeed find(long id) {
        return fault == Fault.NO_GENERATIONS ? places[(int) id - 1] : super.find(id);
    }

    @Override
    public int await(long nanos, Leader leader) {
        if (fault == Fault.DRAINS_FIRST) {
            Taking.pauseUpTo(2_000);
            epoll().drainWakes();
        }
        try {
            return super.await(nanos, leader);
        } catch (DeviceException e) {
            if (fault == Fault.SWALLOWS_FAILURES) {
                return 0;
            }
            throw e;
        }
    }
}
