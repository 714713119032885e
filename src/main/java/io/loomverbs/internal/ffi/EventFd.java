package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code eventfd(2)}: a descriptor that is readable while its count is not 0. */
public final class EventFd {
    private static final String FUNCTION = "eventfd";
    private static final int EFD_CLOEXEC = 0x80000;
    private static final int EFD_NONBLOCK = 0x800;

    private EventFd() {}

    /** The function; loaded only where it may be called. */
    private static final class Calls {
        static final @Nullable MethodHandle CREATE =
                LibcCalls.capturingIfThere(FUNCTION, JAVA_INT, JAVA_INT);

        /** The value to write, a constant. */
        static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

        /** The target of all threads' reads: nothing uses its contents. */
        static final MemorySegment COUNT = Arena.global().allocate(JAVA_LONG);
    }

    /** The reason why there is none here, or null if there is. */
    public static @Nullable Throwable unavailabilityCause() {
        if (!Ffi.isEnabled()) {
            return Ffi.notEnabled();
        }
        return Calls.CREATE == null
                ? new UnsupportedOperationException("the C library has no function " + FUNCTION)
                : null;
    }

    /** A new descriptor, whose count is 0, or a negative errno. */
    public static int create() {
        MethodHandle function = Calls.CREATE;
        if (function == null) {
            throw new IllegalStateException(unavailabilityCause());
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Ffi.callState(arena);
            int fd = (int) function.invokeExact(call, 0, EFD_CLOEXEC | EFD_NONBLOCK);
            return fd < 0 ? -Ffi.errno(call) : fd;
        } catch (Throwable e) {
            throw Ffi.rethrown(e);
        }
    }

    /** Adds 1 to the count. Fails only if it is at its maximum; then it is not 0 either. */
    public static void raise(int fd) {
        Libc.write(fd, Calls.ONE, Long.BYTES);
    }

    /** Sets the count to 0. */
    public static void lower(int fd) {
        Libc.read(fd, Calls.COUNT, Long.BYTES);
    }

    /** Closes a descriptor that no other thread uses. */
    public static void close(int fd) {
        Libc.close(fd);
    }
}
