package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import org.jspecify.annotations.Nullable;

import java.io.Serial;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/**
 * An epoll set with an eventfd that ends a wait. One thread waits at a time; the other methods are
 * for any thread. Functions return a negative errno when they fail.
 */
public final class Epoll {
    /** What {@link #data} returns for the event of {@link #wake}. */
    public static final long WOKEN = 0;

    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EPOLLIN = 1;
    private static final int EPOLLERR = 8;
    private static final int EPOLLHUP = 0x10;
    private static final int EBADF = 9;

    // struct epoll_event
    private static final int DATA = dataOffset(System.getProperty("os.arch", ""));
    private static final int EVENT_BYTES = DATA + Long.BYTES;

    private static final MethodHandle EPOLL_CREATE1 =
            LibcCalls.capturing("epoll_create1", JAVA_INT);
    private static final MethodHandle EPOLL_CTL =
            LibcCalls.capturing("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, Ffi.POINTER);
    private static final MethodHandle EPOLL_WAIT =
            LibcCalls.capturing("epoll_wait", JAVA_INT, Ffi.POINTER, JAVA_INT, JAVA_INT);

    /** Since Linux 5.11 and glibc 2.35: waits to the nanosecond. */
    private static final @Nullable MethodHandle EPOLL_PWAIT2 =
            LibcCalls.capturingIfThere(
                    "epoll_pwait2", JAVA_INT, Ffi.POINTER, JAVA_INT, Ffi.POINTER, Ffi.POINTER);

    private final int fd;
    private final int eventFd;
    private final int capacity;

    /** Whether the kernel, too, has {@code epoll_pwait2}, and permits it. */
    private final boolean pwait2;

    /** The owner and the active calls. The last one to leave closes the descriptors. */
    private final UseCount users = new UseCount();

    // The memory of the thread that waits.
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment call = Ffi.callState(arena);
    private final MemorySegment events;
    private final MemorySegment timeout = arena.allocate(16, 8);

    private Epoll(int fd, int eventFd, int capacity) {
        this.fd = fd;
        this.eventFd = eventFd;
        this.capacity = capacity;
        this.events = arena.allocate((long) capacity * EVENT_BYTES, 8);
        this.pwait2 = EPOLL_PWAIT2 != null && tryPwait2(0) >= 0;
    }

    /** Packed on x86, so that it is the same for 32 and 64 bits. */
    static int dataOffset(String arch) {
        return arch.equals("amd64") || arch.equals("x86_64") ? 4 : 8;
    }

    /** Thrown if there is no set. */
    public static final class Refused extends IllegalStateException {
        @Serial private static final long serialVersionUID = 1L;

        private final int errno;

        private Refused(String function, int errno) {
            super(function + " failed with errno " + errno);
            this.errno = errno;
        }

        /** The errno of the function, such as {@code EMFILE}. */
        public int errno() {
            return errno;
        }
    }

    /**
     * A new set.
     *
     * @param capacity how many events one wait can return
     * @throws Refused if there are no file descriptors left
     */
    public static Epoll create(int capacity) {
        int fd = -1;
        int eventFd = -1;
        boolean made = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Ffi.callState(arena);
            fd = (int) EPOLL_CREATE1.invokeExact(call, EPOLL_CLOEXEC);
            check("epoll_create1", fd, call);
            eventFd = EventFd.create();
            if (eventFd < 0) {
                throw new Refused("eventfd", -eventFd);
            }
            Epoll epoll = new Epoll(fd, eventFd, capacity);
            int rc = epoll.add(eventFd, WOKEN);
            if (rc < 0) {
                throw new Refused("epoll_ctl", -rc);
            }
            made = true;
            return epoll;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        } finally {
            if (!made) {
                closeIfOpen(eventFd);
                closeIfOpen(fd);
            }
        }
    }

    private static void check(String function, int result, MemorySegment call) {
        if (result < 0) {
            throw new Refused(function, Ffi.errno(call));
        }
    }

    private static void closeIfOpen(int fd) {
        if (fd >= 0) {
            Libc.close(fd);
        }
    }

    /**
     * Reports {@code other} while it is readable. Errors are always reported.
     *
     * @param data the value that {@link #data} then returns; not {@link #WOKEN}
     */
    public int add(int other, long data) {
        return control(EPOLL_CTL_ADD, other, EPOLLIN, data);
    }

    /** Starts or stops reporting {@code other}. */
    public int modify(int other, boolean readable, long data) {
        return control(EPOLL_CTL_MOD, other, readable ? EPOLLIN : 0, data);
    }

    /** To be called before {@code other} is closed. */
    public int remove(int other) {
        return control(EPOLL_CTL_DEL, other, 0, 0);
    }

    private int control(int operation, int other, int interest, long data) {
        if (!users.enter()) {
            return -EBADF;
        }
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment state = Ffi.callState(confined);
            MemorySegment event = confined.allocate(EVENT_BYTES, 8);
            event.set(JAVA_INT_UNALIGNED, 0, interest);
            event.set(JAVA_LONG_UNALIGNED, DATA, data);
            int rc = (int) EPOLL_CTL.invokeExact(state, fd, operation, other, event.address());
            return rc < 0 ? -Ffi.errno(state) : 0;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        } finally {
            leave();
        }
    }

    /**
     * Waits for events. Returns at once when the set was closed.
     *
     * @param nanos for how long; {@link Long#MAX_VALUE} waits indefinitely
     * @return how many there are; {@link #data} identifies them
     */
    public int await(long nanos) {
        if (!users.enter()) {
            return 0;
        }
        try {
            if (nanos == Long.MAX_VALUE) {
                return tryWait(-1);
            }
            return pwait2
                    ? tryPwait2(nanos)
                    : tryWait((int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000));
        } finally {
            leave();
        }
    }

    private int tryWait(int millis) {
        try {
            int n = (int) EPOLL_WAIT.invokeExact(call, fd, events.address(), capacity, millis);
            return n < 0 ? -Ffi.errno(call) : n;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private int tryPwait2(long nanos) {
        MethodHandle function = Objects.requireNonNull(EPOLL_PWAIT2);
        timeout.set(JAVA_LONG, 0, nanos / 1_000_000_000);
        timeout.set(JAVA_LONG, 8, nanos % 1_000_000_000);
        try {
            int n =
                    (int)
                            function.invokeExact(
                                    call, fd, events.address(), capacity, timeout.address(), 0L);
            return n < 0 ? -Ffi.errno(call) : n;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    private void leave() {
        if (users.leave()) {
            Libc.close(eventFd);
            Libc.close(fd);
        }
    }

    /** To be called once. Ends a current wait, then closes the descriptors. */
    public void close() {
        wake();
        leave();
    }

    /** The data with which the descriptor of that event of the last wait was added. */
    public long data(int number) {
        return events.get(JAVA_LONG_UNALIGNED, (long) number * EVENT_BYTES + DATA);
    }

    /** Whether that event reports an error or a closed other end. */
    public boolean isError(int number) {
        int what = events.get(JAVA_INT_UNALIGNED, (long) number * EVENT_BYTES);
        return (what & (EPOLLERR | EPOLLHUP)) != 0;
    }

    /** Ends the current wait, or the next; see {@link #drainWakes}. */
    public void wake() {
        if (users.enter()) {
            try {
                EventFd.raise(eventFd);
            } finally {
                leave();
            }
        }
    }

    /** To be called by the waiting thread when it was woken. */
    public void drainWakes() {
        if (users.enter()) {
            try {
                EventFd.lower(eventFd);
            } finally {
                leave();
            }
        }
    }
}
