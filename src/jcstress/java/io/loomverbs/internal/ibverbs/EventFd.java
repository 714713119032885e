package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.CqEvents;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.LedQueue;
import io.loomverbs.internal.event.Taking;

/** A descriptor as a poller's channel, whose reads are watched, perhaps with one fault. */
class EventFd extends FdEventFeed {
    /** What is wrong. */
    enum Fault {
        NONE,
        /** The leader looks whether it is open, then reads without the lock. */
        READY_WITHOUT_LOCK,
        /** Who fetches does not look whether it is closed. */
        FETCH_DOES_NOT_LOOK,
        /** A leader that has disarmed does not look again whether anybody waits. */
        NO_SECOND_LOOK,
        /** A waiter looks whether it is armed, then counts itself. */
        JOIN_LOOKS_FIRST,
        /** A destroy that was refused leaves it disarmed. */
        REFUSAL_DOES_NOT_ARM,
        /** A queue looks whether it has failed, then is attached. */
        ATTACH_LOOKS_FIRST
    }

    private final Fault fault;

    /** Whom events are for; null if they are only counted. */
    CqEvents cq;

    /** Whether a read fails from now on. */
    volatile boolean broken;

    /** How often it was read, with or without success. */
    int reads;

    private volatile boolean destroyed;
    private boolean readWhenDestroyed;
    private boolean armedAlready;
    private boolean waitersSeen;
    private Thread refused;

    EventFd(Poller poller, int fd) {
        this(poller, fd, Fault.NONE);
    }

    EventFd(Poller poller, int fd, Fault fault) {
        super(poller, fd);
        this.fault = fault;
    }

    @Override
    int read() {
        reads++;
        if (broken) {
            return -Errno.EIO;
        }
        for (int i = 0; i < 10; i++) { // a read takes a while
            if (destroyed) {
                readWhenDestroyed = true;
                return -Errno.EAGAIN;
            }
            Thread.onSpinWait();
        }
        if (!EventFds.take(fd())) {
            return -Errno.EAGAIN;
        }
        if (cq != null) {
            cq.raise();
        }
        return 0;
    }

    /** Closes the descriptor, and gives its number to another one. */
    void destroyForReuse(int by) {
        close(
                () -> {
                    destroyed = true;
                    EventFds.reuse(fd(), by);
                    return 0;
                });
    }

    /** Destroys what is read; the number stays taken, by a descriptor without events. */
    void destroy() {
        destroyForReuse(EventFds.create(0));
    }

    /** Whether it was read after it was destroyed. */
    boolean wasReadWhenDestroyed() {
        return readWhenDestroyed;
    }

    @Override
    int ready(EventSource.Leader leader, int max, boolean error) {
        waitersSeen = false;
        if (fault != Fault.READY_WITHOUT_LOCK) {
            return super.ready(leader, max, error);
        }
        if (destroyed) {
            return 0;
        }
        Taking.pauseUpTo(2_000);
        return read() == 0 ? 1 : 0;
    }

    @Override
    @SuppressWarnings("GuardedBy") // it is called as it is there
    boolean isOpen() {
        return fault == Fault.FETCH_DOES_NOT_LOOK || super.isOpen();
    }

    @Override
    boolean isAwaited() {
        if (fault != Fault.NO_SECOND_LOOK) {
            return super.isAwaited();
        }
        boolean awaited = !waitersSeen && super.isAwaited();
        waitersSeen = true;
        Taking.pauseUpTo(2_000);
        return awaited;
    }

    @Override
    public void join() {
        if (fault == Fault.JOIN_LOOKS_FIRST) {
            super.arm();
            Taking.pauseUpTo(2_000);
            armedAlready = true;
        }
        super.join();
    }

    @Override
    void arm() {
        if (!armedAlready && refused != Thread.currentThread()) {
            super.arm();
        }
    }

    /** The device refuses. */
    void destroyInVain() {
        if (fault == Fault.REFUSAL_DOES_NOT_ARM) {
            refused = Thread.currentThread();
        }
        close(() -> -Errno.EBUSY);
    }

    @Override
    public void attach(LedQueue queue) {
        if (fault == Fault.ATTACH_LOOKS_FIRST) {
            super.endIfFailed(queue);
            Taking.pauseUpTo(2_000);
        }
        super.attach(queue);
    }

    @Override
    void endIfFailed(LedQueue queue) {
        if (fault != Fault.ATTACH_LOOKS_FIRST) {
            super.endIfFailed(queue);
        }
    }
}
