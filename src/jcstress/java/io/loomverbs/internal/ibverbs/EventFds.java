package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Real descriptors that events are read from: eventfds, which are both ends in one. */
@SuppressWarnings("restricted")
final class EventFds {
    private static final int EFD_NONBLOCK = 0x800;
    private static final int EFD_SEMAPHORE = 1;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle EVENTFD = link("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle DUP2 = link("dup2", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = link("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle READ =
            link("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITE =
            link("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

    /** What is written; what is read is ignored. */
    private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

    private static final MemorySegment READS = Arena.global().allocate(JAVA_LONG);

    private EventFds() {}

    private static MethodHandle link(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

    private interface Call {
        long call() throws Throwable;
    }

    private static long of(Call call) {
        try {
            return call.call();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int check(Call call) {
        int result = (int) of(call);
        if (result < 0) {
            throw new AssertionError("a system call has failed: are there descriptors left?");
        }
        return result;
    }

    /** A new one, with so many events in it. */
    static int create(int events) {
        return check(() -> (int) EVENTFD.invokeExact(events, EFD_NONBLOCK | EFD_SEMAPHORE));
    }

    /** An event comes up. */
    static void signal(int fd) {
        check(() -> (long) WRITE.invokeExact(fd, ONE.address(), (long) Long.BYTES));
    }

    /** Whether there was an event. */
    static boolean take(int fd) {
        return of(() -> (long) READ.invokeExact(fd, READS.address(), (long) Long.BYTES)) > 0;
    }

    static void close(int fd) {
        check(() -> (int) CLOSE.invokeExact(fd));
    }

    /** Closes a descriptor; at once its number is that of another one, which has no other then. */
    static void reuse(int number, int by) {
        check(() -> (int) DUP2.invokeExact(by, number));
        close(by);
    }
}
