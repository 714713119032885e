package io.loomverbs.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** An epoll set as others use it: one thread waits in it, and descriptors are told of once. */
@SuppressWarnings("restricted")
public final class EpollSet implements AutoCloseable {
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EPOLLIN = 1;
    private static final int EPOLLONESHOT = 1 << 30;
    private static final int MAX_READY = 64;

    /** As x86-64 packs it. */
    private static final int EVENT_BYTES = 12;

    private static final int DATA = 4;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle CREATE = link("epoll_create1", ValueLayout.JAVA_INT);
    private static final MethodHandle CONTROL =
            link(
                    "epoll_ctl",
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS);
    private static final MethodHandle WAIT =
            link(
                    "epoll_wait",
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT);
    private static final MethodHandle CLOSE = link("close", ValueLayout.JAVA_INT);

    private final int fd;
    private final boolean oneShot;
    private final MemorySegment ready =
            Arena.ofAuto().allocate((long) MAX_READY * EVENT_BYTES, Long.BYTES);

    private static MethodHandle link(String name, ValueLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    /**
     * @param oneShot whether a descriptor is told of once, until it is armed again; else as long as
     *     there is something to read
     */
    public EpollSet(boolean oneShot) {
        if (!System.getProperty("os.arch").equals("amd64")) {
            throw new IllegalStateException("no figures of epoll: its layout is that of x86-64");
        }
        this.oneShot = oneShot;
        try {
            fd = (int) CREATE.invokeExact(0);
        } catch (Throwable e) {
            throw new IllegalStateException("no epoll set", e);
        }
    }

    /** A description of {@link #add}'s and {@link #rearm}'s arguments, made once. */
    public MemorySegment registration(int index) {
        MemorySegment event = Arena.ofAuto().allocate(EVENT_BYTES, Long.BYTES);
        event.set(ValueLayout.JAVA_INT, 0, EPOLLIN | (oneShot ? EPOLLONESHOT : 0));
        event.set(ValueLayout.JAVA_INT, DATA, index);
        return event;
    }

    public void add(int other, MemorySegment registration) {
        control(EPOLL_CTL_ADD, other, registration);
    }

    public void rearm(int other, MemorySegment registration) {
        control(EPOLL_CTL_MOD, other, registration);
    }

    private void control(int operation, int other, MemorySegment registration) {
        try {
            if ((int) CONTROL.invokeExact(fd, operation, other, registration) != 0) {
                throw new IllegalStateException("epoll_ctl failed");
            }
        } catch (Throwable e) {
            throw new IllegalStateException("epoll_ctl failed", e);
        }
    }

    /** How many are ready, for {@link #index} to tell which. */
    public int await() {
        try {
            return (int) WAIT.invokeExact(fd, ready, MAX_READY, -1);
        } catch (Throwable e) {
            throw new IllegalStateException("epoll_wait failed", e);
        }
    }

    public int index(int number) {
        return ready.get(ValueLayout.JAVA_INT, (long) number * EVENT_BYTES + DATA);
    }

    @Override
    public void close() {
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw new IllegalStateException("close(2) failed", e);
        }
    }
}
