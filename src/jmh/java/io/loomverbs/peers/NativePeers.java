package io.loomverbs.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * What the same step costs in C, compiled by gcc when a benchmark starts.
 *
 * <p>A benchmark that cannot have it fails and says why; it is then missing in the report, which
 * says so too.
 */
@SuppressWarnings("restricted")
public final class NativePeers {
    private static final int COMPILE_SECONDS = 60;

    /** The real library's structure, as the size of {@code struct ibv_cq} says. */
    private static final long IBV_CQ_BYTES = 128;

    private static final String SOURCE =
            """
            #include <pthread.h>
            #include <stdatomic.h>
            #include <stdlib.h>
            #include <sys/epoll.h>
            #include <unistd.h>

            int nothing(void *object)
            {
                    return 0;
            }

            void ack_loop(void (*ack)(void *, unsigned int), void *cq, long times)
            {
                    while (times-- > 0)
                            ack(cq, 1);
            }

            struct waker {
                    _Alignas(128) _Atomic long handled;
                    _Alignas(128) int fds[2];
                    int epoll;
                    pthread_t thread;
            };

            static void *block_in_read(void *arg)
            {
                    struct waker *w = arg;
                    char bytes[8];

                    while (read(w->fds[0], bytes, sizeof bytes) == sizeof bytes)
                            atomic_fetch_add(&w->handled, 1);
                    return NULL;
            }

            static void *block_in_epoll_wait(void *arg)
            {
                    struct waker *w = arg;
                    struct epoll_event events[64];
                    char bytes[8];

                    while (epoll_wait(w->epoll, events, 64, -1) > 0
                           && read(w->fds[0], bytes, sizeof bytes) == sizeof bytes)
                            atomic_fetch_add(&w->handled, 1);
                    return NULL;
            }

            struct waker *waker_start(int epoll)
            {
                    struct waker *w = aligned_alloc(128, sizeof *w);
                    struct epoll_event readable = {.events = EPOLLIN};

                    atomic_init(&w->handled, 0);
                    w->epoll = epoll_create1(0);
                    if (w->epoll < 0 || pipe(w->fds) != 0
                        || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->fds[0], &readable) != 0
                        || pthread_create(&w->thread, NULL,
                                          epoll ? block_in_epoll_wait : block_in_read, w) != 0)
                            abort();
                    return w;
            }

            void waker_raise(struct waker *w)
            {
                    long before = atomic_load(&w->handled);
                    char bytes[8] = {0};

                    if (write(w->fds[1], bytes, sizeof bytes) != sizeof bytes)
                            abort();
                    while (atomic_load(&w->handled) == before)
                            __builtin_ia32_pause();
            }

            void waker_stop(struct waker *w)
            {
                    close(w->fds[1]);
                    pthread_join(w->thread, NULL);
                    close(w->epoll);
                    close(w->fds[0]);
                    free(w);
            }
            """;

    private final Linker linker = Linker.nativeLinker();
    private final SymbolLookup compiled = compile();

    private SymbolLookup compile() {
        try {
            Path dir = Files.createTempDirectory("loomverbs-peers");
            Path c = dir.resolve("peers.c");
            Path so = dir.resolve("peers.so");
            Files.writeString(c, SOURCE);
            Process gcc =
                    new ProcessBuilder(
                                    "gcc",
                                    "-O2",
                                    "-shared",
                                    "-fPIC",
                                    "-pthread",
                                    "-o",
                                    so.toString(),
                                    c.toString())
                            .inheritIO()
                            .start();
            if (!gcc.waitFor(COMPILE_SECONDS, TimeUnit.SECONDS) || gcc.exitValue() != 0) {
                gcc.destroyForcibly();
                throw new IllegalStateException("gcc did not compile " + c);
            }
            SymbolLookup lookup = SymbolLookup.libraryLookup(so, Arena.global());
            Files.delete(so); // mapped by now
            Files.delete(c);
            Files.delete(dir);
            return lookup;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no figures of C: gcc is needed (package gcc libc6-dev)", e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while gcc ran", e);
        }
    }

    private MethodHandle compiled(String name, FunctionDescriptor type) {
        return linker.downcallHandle(compiled.findOrThrow(name), type);
    }

    /** A driver's function that does nothing, and answers 0. */
    public MemorySegment nothing() {
        return compiled.findOrThrow("nothing");
    }

    /** {@code ibv_ack_cq_events} of the real libibverbs, called in a C loop. */
    public AckLoop ackLoop() {
        SymbolLookup verbs;
        try {
            verbs = SymbolLookup.libraryLookup("libibverbs.so.1", Arena.global());
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(
                    "no figures of ibv_ack_cq_events: libibverbs.so.1 is needed (package"
                            + " libibverbs1)",
                    e);
        }
        return new AckLoop(
                compiled(
                        "ack_loop",
                        FunctionDescriptor.ofVoid(
                                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG)),
                verbs.findOrThrow("ibv_ack_cq_events"));
    }

    /** A CQ made by hand: zeros are an unlocked mutex and a condition that no thread waits for. */
    public static MemorySegment zeroedCq() {
        return Arena.ofAuto().allocate(IBV_CQ_BYTES, IBV_CQ_BYTES);
    }

    /** Acknowledges one event at a time. */
    public record AckLoop(MethodHandle loop, MemorySegment ack) {
        public void run(MemorySegment cq, long times) {
            try {
                loop.invokeExact(ack, cq, times);
            } catch (Throwable e) {
                throw new IllegalStateException("the C loop failed", e);
            }
        }
    }

    /**
     * A thread that waits for what comes through a pipe, all in C: in read(2), or in epoll_wait(2),
     * and then calls read(2).
     */
    public Waker startWaker(boolean inEpoll) {
        try {
            return new Waker(
                    compiled("waker_raise", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)),
                    compiled("waker_stop", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)),
                    (MemorySegment)
                            compiled(
                                            "waker_start",
                                            FunctionDescriptor.of(
                                                    ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                                    .invokeExact(inEpoll ? 1 : 0));
        } catch (Throwable e) {
            throw new IllegalStateException("the thread in C did not start", e);
        }
    }

    /** Writes to the pipe, and spins until the thread has run. */
    public record Waker(MethodHandle raise, MethodHandle stop, MemorySegment waker)
            implements AutoCloseable {
        public void raiseAndSpin() {
            try {
                raise.invokeExact(waker);
            } catch (Throwable e) {
                throw new IllegalStateException("write(2) failed", e);
            }
        }

        @Override
        public void close() {
            try {
                stop.invokeExact(waker);
            } catch (Throwable e) {
                throw new IllegalStateException("the thread in C did not end", e);
            }
        }
    }

    /** A pipe, read and written by Java with plain, blocking downcalls. */
    public static final class Pipe implements AutoCloseable {
        private static final long BYTES = 8;

        private static final Linker LINKER = Linker.nativeLinker();
        private static final MethodHandle READ = transfer("read");
        private static final MethodHandle WRITE = transfer("write");
        private static final MethodHandle PIPE = onInt("pipe", ValueLayout.ADDRESS);
        private static final MethodHandle CLOSE = onInt("close", ValueLayout.JAVA_INT);

        private final int readFd;
        private final int writeFd;
        private final MemorySegment in = Arena.ofAuto().allocate(BYTES, BYTES);
        private final MemorySegment out = Arena.ofAuto().allocate(BYTES, BYTES);

        private static MethodHandle transfer(String name) {
            return LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG));
        }

        private static MethodHandle onInt(String name, ValueLayout argument) {
            return LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, argument));
        }

        public Pipe() {
            MemorySegment fds = Arena.ofAuto().allocate(ValueLayout.JAVA_INT, 2);
            try {
                if ((int) PIPE.invokeExact(fds) != 0) {
                    throw new IllegalStateException("pipe(2) failed");
                }
            } catch (Throwable e) {
                throw new IllegalStateException("no pipe", e);
            }
            readFd = fds.getAtIndex(ValueLayout.JAVA_INT, 0);
            writeFd = fds.getAtIndex(ValueLayout.JAVA_INT, 1);
        }

        public int readFd() {
            return readFd;
        }

        /** Blocks until there are bytes; false at the end. */
        public boolean read() {
            try {
                return (long) READ.invokeExact(readFd, in, BYTES) == BYTES;
            } catch (Throwable e) {
                throw new IllegalStateException("read(2) failed", e);
            }
        }

        public void write() {
            write(0);
        }

        /** By one thread at a time. */
        public void write(long value) {
            out.set(ValueLayout.JAVA_LONG, 0, value);
            try {
                if ((long) WRITE.invokeExact(writeFd, out, BYTES) != BYTES) {
                    throw new IllegalStateException("write(2) was short");
                }
            } catch (Throwable e) {
                throw new IllegalStateException("write(2) failed", e);
            }
        }

        /** Ends a reader. */
        public void closeWriter() {
            closeFd(writeFd);
        }

        @Override
        public void close() {
            closeFd(readFd);
        }

        private static void closeFd(int fd) {
            try {
                int ignored = (int) CLOSE.invokeExact(fd);
            } catch (Throwable e) {
                throw new IllegalStateException("close(2) failed", e);
            }
        }
    }
}
