package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.event.LedQueue;

import org.jspecify.annotations.Nullable;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/** A non-blocking file descriptor on which events are read, by whoever comes. */
abstract class FdEventFeed implements EventFeed {

    /*
     * *** Who reads ***
     *
     * A reader takes the lock: what is read, and the object behind it, are there until it is done. A
     * closer takes it to say `closed`, and leaves it while the device destroys the object, which may take
     * long: nobody reads meanwhile, and nobody waits for the outcome. The leader could serve no other
     * descriptor then.
     *
     * *** Armed ***
     *
     * The descriptor enters the epoll set when a thread first waits for it. When it is ready and nobody
     * waits, it is left alone from then on, so that the leader does not spin, and so that events stay
     * where a foreign epoll loop finds them:
     *
     *   a waiter:  counts itself in `waiting`, then looks whether it is armed, and arms it if not
     *   a leader:  disarms, then looks at `waiting`, and arms again if somebody waits after all
     *
     * One sees the other. An error is told of even when disarmed; after it the descriptor is taken out.
     *
     * *** The end ***
     *
     * A read that fails with anything but EAGAIN and EINTR fails all queues whose events come through
     * here, and those that are attached later. An Error is the reader's own: what it has read and not
     * raised is kept, and the next leader is sent here for it.
     */
    private final Poller poller;
    private final int fd;
    private final Set<LedQueue> queues = ConcurrentHashMap.newKeySet();
    private final AtomicInteger waiting = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();

    /** Whether this is in the poller's list of those with something left over; under its lock. */
    boolean isLeftOver;

    @Nullable FdEventFeed nextLeftOver;

    /** Written under the lock, read without it. */
    private volatile boolean armed;

    /** Written once, under the lock. */
    private volatile @Nullable Throwable failure;

    /** What the kernel calls it; 0 while it is not in the epoll set. */
    @GuardedBy("lock")
    private long id;

    /** It is closed, or a closer is at work. */
    @GuardedBy("lock")
    private boolean closed;

    FdEventFeed(Poller poller, int fd) {
        this.poller = poller;
        this.fd = fd;
    }

    /**
     * Reads one event, if there is one, and raises it. Under the lock. After an Error the next call
     * goes on where it came.
     *
     * @return 0, or a negative errno, such as {@code -EAGAIN}
     */
    abstract int read();

    /** Whether events are to be read even if nobody waits here. */
    boolean isAlwaysRead() {
        return false;
    }

    int fd() {
        return fd;
    }

    @Override
    public Leadership leadership() {
        return poller.leadership();
    }

    @Override
    public void attach(LedQueue queue) {
        queues.add(queue);
        endIfFailed(queue);
    }

    private void endIfFailed(LedQueue queue) {
        Throwable cause = failure;
        if (cause != null) {
            queue.end(cause);
        }
    }

    @Override
    public void detach(LedQueue queue) {
        queues.remove(queue);
    }

    @Override
    public void join() {
        waiting.incrementAndGet();
        try {
            arm();
        } catch (Throwable t) {
            leave();
            throw t;
        }
    }

    @Override
    public void leave() {
        waiting.decrementAndGet();
    }

    /** Has the poller tell of events from now on. */
    void arm() {
        if (armed) {
            return;
        }
        Throwable cause;
        lock.lock();
        try {
            if (!armed && isOpen()) {
                tryArm();
            }
            cause = failure;
        } finally {
            lock.unlock();
        }
        endQueues(cause);
    }

    @GuardedBy("lock")
    private void tryArm() {
        int rc = id == 0 ? register() : poller.epoll().modify(fd, true, id);
        if (rc == 0) {
            armed = true;
        } else {
            fail(new DeviceException(-rc, "epoll_ctl"));
        }
    }

    @GuardedBy("lock")
    private int register() {
        long added = poller.add(this);
        try {
            int rc = poller.epoll().add(fd, added);
            if (rc == 0) {
                id = added;
            }
            return rc;
        } finally {
            if (id == 0) {
                poller.remove(added);
            }
        }
    }

    @Override
    public boolean fetch() {
        boolean read;
        Throwable cause;
        lock.lock();
        try {
            if (!isOpen()) {
                return false;
            }
            read = tryRead();
            cause = failure;
        } finally {
            lock.unlock();
        }
        endQueues(cause);
        return read;
    }

    /**
     * The poller says that there is something to read, or an error. Answers how many were read.
     *
     * @param error of which the poller tells again and again, until it is read
     */
    int ready(EventSource.Leader leader, int max, boolean error) {
        int n = 0;
        Throwable cause;
        lock.lock();
        try {
            if (!isOpen()) {
                return 0;
            }
            if (!isAwaited() && !isAlwaysRead()) {
                tryDisarm();
                if (error && isOpen() && tryRead()) {
                    n++;
                }
            }
            while (armed && n < max && (n == 0 || leader.goesOn()) && tryRead()) {
                n++;
            }
            cause = failure;
        } finally {
            lock.unlock();
        }
        endQueues(cause);
        return n;
    }

    @GuardedBy("lock")
    private void tryDisarm() {
        try {
            disarm();
        } catch (Throwable t) { // it is this descriptor's alone, and not the leader's
            fail(t);
        }
    }

    /** Nobody waits, it seems. */
    @GuardedBy("lock")
    private void disarm() {
        armed = false;
        int rc = poller.epoll().modify(fd, false, id);
        if (rc != 0) {
            fail(new DeviceException(-rc, "epoll_ctl"));
        } else if (isAwaited()) {
            tryArm();
        }
    }

    private boolean isAwaited() {
        return waiting.get() > 0;
    }

    /** Whether an event was read and raised. */
    @GuardedBy("lock")
    private boolean tryRead() {
        try {
            int rc;
            do {
                rc = read();
            } while (rc == -Errno.EINTR);
            if (rc != 0 && rc != -Errno.EAGAIN) {
                fail(new DeviceException(-rc, "reading events has failed"));
            }
            return rc == 0;
        } catch (RuntimeException e) { // others must not wait for it indefinitely
            fail(e);
            return false;
        } catch (Error e) {
            poller.leaveOver(this);
            throw e;
        }
    }

    @GuardedBy("lock")
    private void fail(Throwable cause) {
        failure = cause;
        unregister();
    }

    @GuardedBy("lock")
    private boolean isOpen() {
        return !closed && failure == null;
    }

    /** Before the descriptor is closed. */
    @GuardedBy("lock")
    private void unregister() {
        armed = false;
        if (id != 0) {
            poller.epoll().remove(fd);
            poller.remove(id);
            id = 0;
        }
    }

    private void endQueues(@Nullable Throwable cause) {
        if (cause != null) {
            end(cause);
        }
    }

    private void end(@Nullable Throwable cause) {
        for (LedQueue queue : queues) { // which may leave meanwhile
            queue.end(cause);
        }
    }

    /** No events come any more, since the object is destroyed. */
    final void endQueues() {
        end(null);
    }

    /** What destroys the object behind the descriptor: 0 or a negative errno. */
    @FunctionalInterface
    interface Destruction {
        int run();
    }

    /**
     * Destroys the object while nobody reads, and after the poller has been told. If it is refused,
     * or does not come to an end, all is as before.
     */
    final int close(Destruction destruction) {
        if (!tryClose()) {
            return -Errno.EINVAL;
        }
        boolean destroyed = false;
        try {
            int rc = destruction.run();
            destroyed = rc == 0;
            return rc;
        } finally {
            if (!destroyed) {
                reopen();
            }
        }
    }

    private boolean tryClose() {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            closed = true;
            unregister();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void reopen() {
        lock.lock();
        try {
            closed = false;
        } finally {
            lock.unlock();
        }
        if (isAwaited()) { // second: a thread that joins counts itself, then looks whether it is
            // open
            arm();
        }
    }
}
