package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.ffi.LibibverbsLibrary;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A context of libibverbs made by hand, without a device, and its channels and CQs.
 *
 * <p>This relies on what is private in libibverbs: where the pointer to a context's private part
 * is, and that this part has little but function pointers. All of them are made one function here,
 * the driver. So it works on the versions that were looked up, and only on these.
 */
final class HandMadeMemory {
    /** Offset in struct ibv_comp_channel. */
    static final int CHANNEL_REFCNT = 12;

    /** Versions of rdma-core in which all of that was looked up. */
    private static final int FIRST_VERSION = 28;

    private static final int LAST_VERSION = 65;

    // struct verbs_context ends with the ibv_context; priv is below it
    private static final int CONTEXT = 1024;
    private static final int PRIV = CONTEXT - 112;
    private static final int OPS = CONTEXT + 8;
    private static final int OPS_BYTES = 256;
    private static final int ABI_COMPAT = CONTEXT + 320;
    private static final int SZ = CONTEXT - 8;
    private static final int QUERY_DEVICE_EX = CONTEXT - 104;
    private static final int PRIVATE_BYTES = 8192;
    private static final int ASYNC_FD = CONTEXT + 268;
    private static final int NUM_COMP_VECTORS = CONTEXT + 272;
    private static final int CONTEXT_BYTES = 2048;
    private static final int CHANNEL_BYTES = 16;
    private static final int CQ_BYTES = 128;
    private static final int ALIGNMENT = 64;

    private final Arena arena;
    private final MemorySegment memory;

    /**
     * @param arena that the memory lives in
     * @param asyncFd where asynchronous events are read from
     * @param driver called for every operation of the driver, with its first argument
     */
    HandMadeMemory(Arena arena, int asyncFd, MemorySegment driver) {
        this.arena = arena;
        memory = allocate(CONTEXT_BYTES);
        MemorySegment ownPart = allocate(PRIVATE_BYTES);
        fill(ownPart, 0, PRIVATE_BYTES, driver);
        fill(memory, OPS, OPS_BYTES, driver);
        memory.set(JAVA_LONG, PRIV, ownPart.address());
        memory.set(JAVA_INT, ASYNC_FD, asyncFd);
        memory.set(JAVA_INT, NUM_COMP_VECTORS, 1);
    }

    private static void fill(MemorySegment with, long from, long bytes, MemorySegment function) {
        for (long at = from; at < from + bytes; at += Long.BYTES) {
            with.set(JAVA_LONG, at, function.address());
        }
    }

    /** Why nothing can be made by hand here, or null. */
    static @Nullable String problem() throws IOException {
        Throwable cause = LibibverbsLibrary.unavailabilityCause();
        if (cause != null) {
            return cause.getMessage();
        }
        Pattern library = Pattern.compile("\\S*/libibverbs\\.so\\.1\\.\\d+\\.(\\d+)\\.\\d+");
        try (var maps = Files.lines(Path.of("/proc/self/maps"))) {
            List<String> lines = maps.filter(line -> line.contains("libibverbs.so")).toList();
            for (String line : lines) {
                Matcher matcher = library.matcher(line);
                if (matcher.find()) {
                    int version = Integer.parseInt(matcher.group(1));
                    return version >= FIRST_VERSION && version <= LAST_VERSION
                            ? null
                            : "that of version "
                                    + version
                                    + " is not one of "
                                    + FIRST_VERSION
                                    + " to "
                                    + LAST_VERSION
                                    + ", whose structures are known";
                }
            }
            return "its version is not known: " + lines;
        }
    }

    /** Contexts that are made from now on are extended ones, of one function. */
    void extend(MemorySegment driver) {
        memory.set(JAVA_LONG, ABI_COMPAT, -1);
        memory.set(JAVA_LONG, SZ, CONTEXT_BYTES);
        memory.set(JAVA_LONG, QUERY_DEVICE_EX, driver.address());
    }

    /** The address of the {@code ibv_context}. */
    long context() {
        return memory.address() + CONTEXT;
    }

    MemorySegment allocate(long bytes) {
        return arena.allocate(bytes, ALIGNMENT);
    }

    /** An object of the context, which all begin with its address. */
    MemorySegment object(long bytes) {
        MemorySegment object = allocate(bytes);
        object.set(JAVA_LONG, 0, context());
        return object;
    }

    /** A channel, which {@code ibv_destroy_comp_channel} frees. */
    MemorySegment channel(int fd) {
        MemorySegment channel = Posix.calloc(CHANNEL_BYTES);
        channel.set(JAVA_LONG, 0, context());
        channel.set(JAVA_INT, 8, fd);
        return channel;
    }

    /** A CQ, counted by its channel. */
    synchronized MemorySegment cq(long id, int cqe, @Nullable MemorySegment channel) {
        MemorySegment cq = object(CQ_BYTES);
        cq.set(JAVA_LONG, 16, id);
        cq.set(JAVA_INT, 28, cqe);
        if (channel != null) {
            cq.set(JAVA_LONG, 8, channel.address());
            int users = channel.get(JAVA_INT, CHANNEL_REFCNT);
            channel.set(JAVA_INT, CHANNEL_REFCNT, users + 1);
        }
        return cq;
    }
}
