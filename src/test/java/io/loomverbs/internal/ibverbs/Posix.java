package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What channels made by hand, and events of a poller, are made of. */
@SuppressWarnings("restricted")
final class Posix {
    private static final int O_RDWR = 2;
    private static final int O_NOCTTY = 0x100;
    private static final int TCSANOW = 0;
    private static final int FIONREAD = 0x541b;
    private static final int EFD_NONBLOCK = 0x800;
    private static final int EFD_SEMAPHORE = 1;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle PIPE = link("pipe", JAVA_INT, ADDRESS);
    private static final MethodHandle READ = link("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle WRITE =
            link("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle CLOSE = link("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle EVENTFD = link("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle DUP2 = link("dup2", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CALLOC = link("calloc", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle OPENPT = link("posix_openpt", JAVA_INT, JAVA_INT);
    private static final MethodHandle GRANTPT = link("grantpt", JAVA_INT, JAVA_INT);
    private static final MethodHandle UNLOCKPT = link("unlockpt", JAVA_INT, JAVA_INT);
    private static final MethodHandle PTSNAME_R =
            link("ptsname_r", JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle TCGETATTR = link("tcgetattr", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle TCSETATTR =
            link("tcsetattr", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle CFMAKERAW =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("cfmakeraw"),
                    FunctionDescriptor.ofVoid(ADDRESS));
    private static final MethodHandle OPEN =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("open"),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
                    Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("ioctl"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                    Linker.Option.firstVariadicArg(2));

    private static final MethodHandle SETRLIMIT = link("setrlimit", JAVA_INT, JAVA_INT, ADDRESS);
    private static final int RLIMIT_NOFILE = 7;

    /** What is written to an eventfd; what is read from it is ignored. */
    private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

    private static final MemorySegment IGNORED = Arena.global().allocate(JAVA_LONG);

    private Posix() {}

    /** No descriptor of that number, or above, can be had from now on in this process. */
    static void limitDescriptors(int limit) {
        limitDescriptors(limit, limit);
    }

    /**
     * @param most up to which the limit can be raised later
     */
    static void limitDescriptors(int limit, int most) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limits = arena.allocate(JAVA_LONG, 2);
            limits.setAtIndex(JAVA_LONG, 0, limit);
            limits.setAtIndex(JAVA_LONG, 1, most);
            check((int) SETRLIMIT.invokeExact(RLIMIT_NOFILE, limits));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle link(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

    /** A descriptor that is read, and another that what is read is written to. */
    record Ends(int read, int write) {}

    static Ends pipe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fds = arena.allocate(JAVA_INT, 2);
            check((int) PIPE.invokeExact(fds));
            return new Ends(fds.getAtIndex(JAVA_INT, 0), fds.getAtIndex(JAVA_INT, 1));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Reading one end fails with EIO once the other is closed. */
    static Ends terminal() {
        try (Arena arena = Arena.ofConfined()) {
            int master = check((int) OPENPT.invokeExact(O_RDWR | O_NOCTTY));
            check((int) GRANTPT.invokeExact(master));
            check((int) UNLOCKPT.invokeExact(master));
            MemorySegment name = arena.allocate(256);
            check((int) PTSNAME_R.invokeExact(master, name, 256L));
            int slave = check((int) OPEN.invokeExact(name, O_RDWR | O_NOCTTY));
            MemorySegment attributes = arena.allocate(256);
            check((int) TCGETATTR.invokeExact(slave, attributes));
            CFMAKERAW.invokeExact(attributes);
            check((int) TCSETATTR.invokeExact(slave, TCSANOW, attributes));
            return new Ends(master, slave);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int check(int result) {
        if (result < 0) {
            throw new AssertionError("a system call has failed: are there descriptors left?");
        }
        return result;
    }

    /** Writes whole longs at once. */
    static void write(int fd, long... values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(JAVA_LONG, values);
            long n = (long) WRITE.invokeExact(fd, bytes, bytes.byteSize());
            if (n != bytes.byteSize()) {
                throw new AssertionError("wrote " + n);
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Waits in read(2) for one long. */
    static long read(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(JAVA_LONG);
            long n = (long) READ.invokeExact(fd, bytes, 8L);
            if (n != Long.BYTES) {
                throw new AssertionError("read " + n);
            }
            return bytes.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** How many bytes are there to be read. */
    static int readable(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment n = arena.allocate(JAVA_INT);
            check((int) IOCTL.invokeExact(fd, (long) FIONREAD, n));
            return n.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void close(int fd) {
        try {
            check((int) CLOSE.invokeExact(fd));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A new eventfd, both ends in one, with so many events in it. Reads do not wait. */
    static int eventFd(int events) {
        try {
            return check((int) EVENTFD.invokeExact(events, EFD_NONBLOCK | EFD_SEMAPHORE));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** An event comes up. */
    static void signal(int eventFd) {
        try {
            check((int) (long) WRITE.invokeExact(eventFd, ONE, (long) Long.BYTES));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Takes an event, and says whether there was one. */
    static boolean take(int eventFd) {
        try {
            return (long) READ.invokeExact(eventFd, IGNORED, (long) Long.BYTES) > 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Closes a descriptor; at once its number is that of another one, which has no other then. */
    static void reuse(int number, int by) {
        try {
            check((int) DUP2.invokeExact(by, number));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        close(by);
    }

    /** Zeroed memory that {@code free} may be called with. */
    static MemorySegment calloc(long bytes) {
        try {
            return MemorySegment.ofAddress((long) CALLOC.invokeExact(1L, bytes)).reinterpret(bytes);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
