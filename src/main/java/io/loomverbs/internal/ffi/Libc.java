package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** File descriptors. */
@SuppressWarnings("restricted") // allowed in this package
public final class Libc {
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int EBADF = 9;
    private static final int O_NONBLOCK = 0x800;

    /** The third argument is variadic. */
    private static final MethodHandle FCNTL =
            Ffi.LINKER.downcallHandle(
                    Ffi.LINKER.defaultLookup().findOrThrow("fcntl"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
                    Linker.Option.firstVariadicArg(2),
                    Linker.Option.captureCallState("errno"));

    private static final MethodHandle READ =
            Ffi.downcall(
                    Ffi.LINKER.defaultLookup().findOrThrow("read"),
                    FunctionDescriptor.of(Ffi.SIZE_T, JAVA_INT, Ffi.POINTER, Ffi.SIZE_T));

    private static final MethodHandle WRITE =
            Ffi.downcall(
                    Ffi.LINKER.defaultLookup().findOrThrow("write"),
                    FunctionDescriptor.of(Ffi.SIZE_T, JAVA_INT, Ffi.POINTER, Ffi.SIZE_T));

    private static final MethodHandle CLOSE =
            Ffi.downcall(
                    Ffi.LINKER.defaultLookup().findOrThrow("close"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private Libc() {}

    /** Makes reads of a file descriptor return {@code EAGAIN} instead of waiting. */
    public static int setNonBlocking(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Ffi.callState(arena);
            int flags = (int) FCNTL.invokeExact(call, fd, F_GETFL, 0);
            if (flags >= 0) {
                flags = (int) FCNTL.invokeExact(call, fd, F_SETFL, flags | O_NONBLOCK);
            }
            return flags < 0 ? -Ffi.errno(call) : 0;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /**
     * Why there is no file descriptor left, such as {@code EMFILE}; 0 if there is one.
     *
     * <p>It duplicates standard error; if that is closed, the result is 0.
     */
    public static int descriptorErrno() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Ffi.callState(arena);
            int fd = (int) FCNTL.invokeExact(call, 2, F_DUPFD_CLOEXEC, 0);
            if (fd >= 0) {
                close(fd);
                return 0;
            }
            int errno = Ffi.errno(call);
            return errno == EBADF ? 0 : errno;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@code read}, without the reason of a failure. */
    static long read(int fd, MemorySegment buffer, long bytes) {
        try {
            return (long) READ.invokeExact(fd, buffer.address(), bytes);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    static long write(int fd, MemorySegment buffer, long bytes) {
        try {
            return (long) WRITE.invokeExact(fd, buffer.address(), bytes);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** {@code close}, of a descriptor that no other object uses. */
    static void close(int fd) {
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }
}
