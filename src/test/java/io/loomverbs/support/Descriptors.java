package io.loomverbs.support;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What {@code poll(2)} says of file descriptors. */
@SuppressWarnings("restricted")
public final class Descriptors {
    private static final short POLLIN = 1;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle POLL =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("poll"),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private Descriptors() {}

    /** Whether it is readable, and nothing else, now. */
    public static boolean isReadable(int fd) {
        return isReadable(fd, 0);
    }

    /** Whether it becomes readable before a test loses its patience. */
    public static boolean becomesReadable(int fd) {
        return isReadable(fd, (int) Fixture.PATIENCE.toMillis());
    }

    private static boolean isReadable(int fd, int millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 4);
            poll.set(JAVA_INT, 0, fd);
            poll.set(JAVA_SHORT, 4, POLLIN);
            int n = (int) POLL.invokeExact(poll, 1L, millis);
            short what = poll.get(JAVA_SHORT, 6);
            if (n < 0 || (n > 0 && what != POLLIN)) {
                throw new AssertionError("poll of " + fd + " returned " + n + ", revents " + what);
            }
            return n > 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
