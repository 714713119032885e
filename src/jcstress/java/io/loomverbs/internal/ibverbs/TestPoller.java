package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.ffi.Epoll;

import java.lang.reflect.Field;

/** The real poller on a real epoll set that can be closed, or broken. */
class TestPoller extends Poller {
    private final int epollFd;

    TestPoller() {
        super(new OnPlatformThreads(), "test-poller");
        this.epollFd = epollFd();
    }

    /** Actors are no virtual threads, and no other thread waits. */
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

    /** The set is gone: a wait in it, or an addition to it, fails from now on. */
    void destroy() {
        Posix.reuse(epollFd, Posix.eventFd(0));
        wake();
    }

    /** No descriptor is left in it. */
    void close() {
        release();
    }
}
