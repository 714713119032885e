package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.QueuedCq;

/** A descriptor as a poller's channel, whose reads are watched. */
class WatchedFd extends FdEventFeed {
    /** The CQ that events are for; null if they are only counted. */
    QueuedCq cq;

    /** Whether a read fails from now on. */
    volatile boolean broken;

    /** Whether a fetch looks at nothing from now on: a queue knows what it was told before. */
    volatile boolean unasked;

    /** How often it was read, with or without success. */
    int reads;

    private volatile boolean destroyed;
    private boolean readWhenDestroyed;

    WatchedFd(Poller poller, int fd) {
        super(poller, fd);
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
        if (!Posix.take(fd())) {
            return -Errno.EAGAIN;
        }
        if (cq != null) {
            cq.raise();
        }
        return 0;
    }

    @Override
    public boolean fetch() {
        return !unasked && super.fetch();
    }

    /** Closes the descriptor, and gives its number to another one. */
    void destroyForReuse(int by) {
        close(
                () -> {
                    destroyed = true;
                    Posix.reuse(fd(), by);
                    return 0;
                });
    }

    /** Destroys what is read; the number stays taken, by a descriptor without events. */
    void destroy() {
        destroyForReuse(Posix.eventFd(0));
    }

    /** Whether it was read after it was destroyed. */
    boolean wasReadWhenDestroyed() {
        return readWhenDestroyed;
    }

    /** The device refuses. */
    void destroyInVain() {
        close(() -> -Errno.EBUSY);
    }
}
