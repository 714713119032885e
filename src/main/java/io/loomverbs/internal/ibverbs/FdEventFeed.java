package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.event.LedQueue;

import org.jspecify.annotations.Nullable;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** A non-blocking file descriptor from which waiting threads read events. */
abstract class FdEventFeed implements EventFeed {

    /*
     * *** Reading ***
     *
     * A reader holds the lock, so the descriptor and its object exist until it is done. A closer
     * takes the lock to set `closed`, and releases it while the device destroys the object, which
     * may take long: no thread reads meanwhile, and no thread waits for the outcome, which would
     * keep the leader from other descriptors.
     *
     * *** Armed ***
     *
     * The descriptor enters the epoll set when a thread first waits for it. When it is ready while
     * no thread waits, it is disarmed, so that the leader does not spin, and so that events stay
     * where the program's own epoll loop finds them:
     *
     *   a waiter:  counts itself in `waiting`, then looks whether it is armed, and arms it if not
     *   a leader:  disarms, then looks at `waiting`, and arms again if a thread waits after all
     *
     * One sees the other. The kernel reports an error even when disarmed; after that the descriptor
     * is removed.
     *
     * *** The end ***
     *
     * A read that fails with anything but EAGAIN or EINTR fails all queues whose events come
     * through this descriptor, and those that are attached later. So does a read that finds nothing
     * where the poller reports an error: read(2) sets no errno at end of file, and libibverbs then
     * returns the errno of an earlier call, such as EAGAIN.
     *
     * A temporary problem is not a failure: if the kernel has no memory, or the user has no watches
     * left, to put the descriptor into the set, only the thread that wants to wait gets an
     * exception. A leader that meets this problem leaves the descriptor for later, and tries again.
     *
     * An Error affects only the reader. Its unfinished work, such as an event that it has read and
     * not raised, is left over for the next leader: two writes mark it, which need neither memory
     * nor stack. The leader finds it by its number in the poller, which it therefore keeps until
     * the object is destroyed, also after a failure.
     */
    private static final long PAUSE_NANOS = 1_000_000;

    private final Poller poller;
    private final int fd;
    private final Set<LedQueue> queues = ConcurrentHashMap.newKeySet();
    private final AtomicInteger waiting = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();

    /** Whether a leader must look here; then the poller's {@code hasLeftOver} is set, too. */
    private volatile boolean leftOver;

    /** Written under the lock, read without it. */
    private volatile boolean armed;

    /** Written once, under the lock. */
    private volatile @Nullable Throwable failure;

    /** Its number in the poller; 0 before it has one, which is no descriptor's. */
    @GuardedBy("lock")
    private long id;

    /** Whether it is in the epoll set, under its number. */
    @GuardedBy("lock")
    private boolean inSet;

    /** Whether it is closed, or being closed. */
    @GuardedBy("lock")
    private boolean closed;

    FdEventFeed(Poller poller, int fd) {
        this.poller = poller;
        this.fd = fd;
    }

    /**
     * Reads one event, if there is one, and raises it. Under the lock. After an Error the next call
     * continues where it occurred.
     *
     * @return 0, or a negative errno, such as {@code -EAGAIN}
     */
    abstract int read();

    /** Whether events must be read even if no thread waits here. */
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

    /**
     * Makes the poller report events from now on.
     *
     * @throws EventQueueEndedException if that is impossible now, and may be possible later
     */
    void arm() {
        if (armed) {
            return;
        }
        DeviceException refusal = null;
        Throwable cause;
        lock.lock();
        try {
            if (!armed && isOpen()) {
                refusal = tryArm();
            }
            cause = failure;
        } finally {
            lock.unlock();
        }
        endQueues(cause);
        if (refusal != null) {
            throw new EventQueueEndedException(refusal);
        }
    }

    /** Null, also if the descriptor has failed; or a temporary refusal. */
    @GuardedBy("lock")
    private @Nullable DeviceException tryArm() {
        boolean added = !inSet;
        int rc = added ? register() : poller.epoll().modify(fd, true, id);
        if (rc == 0) {
            armed = true;
            return null;
        }
        DeviceException refusal = new DeviceException(-rc, "epoll_ctl");
        if (added && (rc == -Errno.ENOSPC || rc == -Errno.ENOMEM)) {
            return refusal;
        }
        fail(refusal);
        return null;
    }

    /** For a thread that waits already: false if this must be tried again. */
    private boolean armAgain() {
        try {
            arm();
            return true;
        } catch (EventQueueEndedException refused) {
            return false;
        }
    }

    @GuardedBy("lock")
    private int register() {
        if (id == 0) {
            id = poller.add(this);
        }
        int rc = poller.watch(fd, id);
        inSet = rc == 0;
        if (leftOver) {
            poller.hasLeftOver = true; // a leader did not find it while it had no number
        }
        return rc;
    }

    @Override
    public boolean fetch() {
        boolean read;
        Throwable cause;
        lock.lock();
        try {
            read = isOpen() && tryRead();
            cause = failure;
        } catch (Error e) {
            poller.wake(); // a leader in the kernel does not see what is left over
            throw e;
        } finally {
            lock.unlock();
        }
        endQueues(cause);
        return read;
    }

    /** Completes what an Error has left undone, if anything. Returns how many events were read. */
    int fetchLeftOver() {
        if (!leftOver) {
            return 0;
        }
        leftOver = false;
        boolean done = false;
        try {
            boolean asked = !isAwaited() || armAgain();
            int read = fetch() ? 1 : 0;
            done = asked;
            if (!asked) {
                poller.hasLeftOver = true;
                LockSupport.parkNanos(PAUSE_NANOS); // not a loop without a pause
            }
            return read;
        } finally {
            if (!done) {
                leftOver = true;
            }
        }
    }

    /**
     * Called when the poller reports events or an error. Returns how many events were read.
     *
     * @param error whether the poller reports an error, which it repeats until the error is read
     */
    int ready(EventSource.Leader leader, int max, boolean error) {
        int n = 0;
        Throwable cause;
        lock.lock();
        try {
            if (failure != null) {
                unregister(); // again: after an Error in between, it is reported again
            }
            if (isOpen() && !isAwaited() && !isAlwaysRead()) {
                tryDisarm();
                if (error && isOpen() && tryRead()) {
                    n++;
                }
            }
            while (armed && n < max && (n == 0 || leader.goesOn()) && tryRead()) {
                n++;
            }
            if (error && n == 0 && isOpen()) {
                fail(new DeviceException(Errno.EIO, "the descriptor has failed"));
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
        } catch (RuntimeException e) { // this descriptor's fault, not the leader's
            fail(e);
        } catch (Error e) { // a thread may wait after all: the next leader arms it then
            leftOver = true;
            poller.hasLeftOver = true;
            throw e;
        }
    }

    /** Called when no thread seems to wait. */
    @GuardedBy("lock")
    private void disarm() {
        armed = false;
        int rc = poller.epoll().modify(fd, false, id);
        if (rc != 0) {
            fail(new DeviceException(-rc, "epoll_ctl"));
        } else if (isAwaited()) {
            DeviceException _ = tryArm(); // it is in the set: none
        }
    }

    boolean isAwaited() {
        return waiting.get() > 0;
    }

    /** Whether an event was read and raised. */
    @GuardedBy("lock")
    private boolean tryRead() {
        try {
            int rc = read();
            if (rc != 0 && rc != -Errno.EAGAIN && rc != -Errno.EINTR) {
                fail(new DeviceException(-rc, "reading events has failed"));
            }
            return rc == 0;
        } catch (RuntimeException e) { // others must not wait for it indefinitely
            fail(e);
            return false;
        } catch (Error e) {
            leftOver = true;
            poller.hasLeftOver = true;
            throw e;
        }
    }

    @GuardedBy("lock")
    private void fail(Throwable cause) {
        failure = cause;
        boolean unregistered = false;
        try {
            unregister();
            unregistered = true;
        } finally {
            if (!unregistered) {
                leftOver = true;
                poller.hasLeftOver = true;
            }
        }
    }

    @GuardedBy("lock")
    private boolean isOpen() {
        return !closed && failure == null;
    }

    /** Before the descriptor is closed. */
    @GuardedBy("lock")
    private void unregister() {
        if (inSet) {
            poller.epoll().remove(fd); // first: if it throws, nothing has changed
            inSet = false;
        }
        armed = false;
    }

    private void endQueues(@Nullable Throwable cause) {
        if (cause != null) {
            end(cause);
        }
    }

    /** If one of them cannot be notified, the others are, and the next leader tries again. */
    private void end(@Nullable Throwable cause) {
        Error met = null;
        for (LedQueue queue : queues) { // which may leave meanwhile
            try {
                queue.end(cause);
            } catch (Error e) {
                met = e;
                leftOver = true;
                poller.hasLeftOver = true;
            }
        }
        if (met != null) {
            poller.wake(); // see above
            throw met;
        }
    }

    /** Called when the object is destroyed, so that no events come any more. */
    final void endQueues() {
        end(null);
    }

    /** Destroys the object behind the descriptor: 0 or a negative errno. */
    @FunctionalInterface
    interface Destruction {
        int run();
    }

    /**
     * Destroys the object while no thread reads, after removing the descriptor from the poller. If
     * the device refuses, or the call ends with an exception, everything is as before.
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
            if (destroyed) {
                destroyed();
            } else {
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
            unregister();
            closed = true;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void destroyed() {
        lock.lock();
        try {
            poller.remove(id);
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
        // Second: a thread that joins counts itself, then looks whether it is open.
        boolean done = false;
        try {
            done = !isAwaited() || armAgain();
        } finally {
            if (!done) { // a thread must not wait for nothing
                leftOver = true;
                poller.hasLeftOver = true;
                poller.wake();
            }
        }
    }
}
