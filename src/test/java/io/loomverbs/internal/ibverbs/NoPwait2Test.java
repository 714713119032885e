package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * A JVM whose kernel refuses {@code epoll_pwait2}, as an old one does (ENOSYS), and the seccomp
 * filter of an older container runtime (EPERM): waits with a time limit go on without it.
 */
@Timeout(120)
class NoPwait2Test {
    private static final int EPOLL_PWAIT2 = 441; // on all architectures

    @SuppressWarnings("restricted")
    static final class Child {
        private static final Linker LINKER = Linker.nativeLinker();

        private Child() {}

        public static void main(String[] args) throws Throwable {
            refuse(EPOLL_PWAIT2, Integer.parseInt(args[0]));
            HandMadeDevice device = HandMadeDevice.create();
            try (Context context = device.open();
                    CompletionChannel channel = context.createCompChannel();
                    CompletionQueue cq = context.createCq(1, "mine", channel, 0)) {
                for (int i = 0; i < 2; i++) {
                    System.out.println("none " + take(channel, Duration.ofMillis(20), i == 0));
                    device.last().event();
                    System.out.println("one " + take(channel, Duration.ofSeconds(20), i == 0));
                    assertThat(cq.unackedEvents()).isZero();
                }
            }
        }

        private static Object take(CompletionChannel channel, Duration timeout, boolean virtual)
                throws Exception {
            FutureTask<Object> task =
                    new FutureTask<>(
                            () -> {
                                try (CqEvent event = channel.getCqEvent(timeout)) {
                                    return event == null ? null : event.cqContext();
                                }
                            });
            Thread thread =
                    virtual ? Thread.ofVirtual().start(task) : Thread.ofPlatform().start(task);
            try {
                return task.get(30, TimeUnit.SECONDS);
            } finally {
                thread.join();
            }
        }

        /** Has all threads' calls of one system call fail from now on, by a seccomp filter. */
        private static void refuse(int call, int errno) throws Throwable {
            long seccomp = System.getProperty("os.arch").equals("aarch64") ? 277 : 317;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment filter = arena.allocate(4 * 8L, 8);
                instruction(filter, 0, 0x20, 0, 0); // load the call's number
                instruction(filter, 1, 0x15, 1, call); // if it is not this one, skip one
                instruction(filter, 2, 0x06, 0, 0x0005_0000 | errno);
                instruction(filter, 3, 0x06, 0, 0x7fff_0000); // allow
                MemorySegment program = arena.allocate(16, 8);
                program.set(JAVA_SHORT, 0, (short) 4);
                program.set(ADDRESS, 8, filter);
                MethodHandle prctl =
                        link("prctl", 1, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
                int rc = (int) prctl.invokeExact(38, 1L, 0L, 0L, 0L); // PR_SET_NO_NEW_PRIVS
                assertThat(rc).isZero();
                MethodHandle syscall = link("syscall", 1, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS);
                rc = (int) syscall.invokeExact(seccomp, 1, 1, program); // for all threads
                assertThat(rc).isZero();
            }
        }

        private static void instruction(MemorySegment at, int i, int code, int skip, int value) {
            at.set(JAVA_SHORT, i * 8L, (short) code);
            at.set(JAVA_BYTE, i * 8L + 3, (byte) skip);
            at.set(JAVA_INT, i * 8L + 4, value);
        }

        private static MethodHandle link(String name, int variadic, MemoryLayout... arguments) {
            return LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(JAVA_INT, arguments),
                    Linker.Option.firstVariadicArg(variadic));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 38}) // EPERM, ENOSYS
    void waitsWithATimeLimitGoOn(int errno) throws Exception {
        HandMadeDevice.assumeLibrary();
        assertThat(ChildJvm.run(Child.class, List.of(), String.valueOf(errno)))
                .isEqualTo("none null\none mine\n".repeat(2));
    }
}
