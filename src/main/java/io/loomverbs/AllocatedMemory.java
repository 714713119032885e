package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.RegionMemory;
import io.loomverbs.internal.device.RegionMemorySource;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory of {@code allocateMr}. It exists as long as a registration names it: the first one, or one
 * that {@code regMr} made of it or of a part of it. The last of them frees it. Then it stays in the
 * list, without a registration, as long as its segment seems to be usable: until then nothing else
 * can be at its addresses, and no region can be made of it.
 */
final class AllocatedMemory {
    /** A program that allocates less than this in total need not determine its limit. */
    private static final long SMALL = 1 << 20;

    private static final AtomicLong TOTAL = new AtomicLong();
    private static final AtomicInteger CONTEXTS = new AtomicInteger();

    /** All allocations, by address. */
    private static final ConcurrentSkipListMap<Long, AllocatedMemory> ALL =
            new ConcurrentSkipListMap<>();

    /** Determined once, when first needed. */
    private static volatile @Nullable AllocationLimit limit;

    private static final class Source {
        private static final RegionMemorySource OF_JVM = Verbs.regionMemory();
    }

    /**
     * Whether there is something to trim, so that a program that allocates nothing loads nothing
     * for it.
     */
    private static volatile boolean used;

    private final RegionMemory memory;
    private final AtomicInteger registrations = new AtomicInteger(1);

    /** Made in advance: a close must not need memory. */
    private final Runnable gone = this::forget;

    private AllocatedMemory(RegionMemory memory) {
        this.memory = memory;
    }

    /** New memory, for one registration. */
    static AllocatedMemory allocate(long bytes) {
        reserve(bytes);
        used = true;
        RegionMemory memory = null;
        boolean made = false;
        try {
            memory = Source.OF_JVM.allocate(bytes);
            AllocatedMemory allocated = new AllocatedMemory(memory);
            ALL.put(memory.segment().address(), allocated);
            made = true;
            return allocated;
        } finally {
            if (!made) {
                free(memory, bytes, () -> {});
            }
        }
    }

    private static void reserve(long bytes) {
        long before;
        do {
            before = TOTAL.get();
            if (before > SMALL - bytes || System.getProperty(AllocationLimit.PROPERTY) != null) {
                AllocationLimit most = limit();
                if (bytes > most.bytes() - before) {
                    throw new DeviceException(Errno.ENOMEM, most.refusal(bytes, before));
                }
            }
        } while (!TOTAL.compareAndSet(before, before + bytes));
    }

    private static AllocationLimit limit() {
        AllocationLimit found = limit;
        if (found == null) {
            found = AllocationLimit.of(System.getProperty(AllocationLimit.PROPERTY));
            limit = found;
        }
        return found;
    }

    /**
     * The memory that a segment is a part of, held for another registration; null if none.
     *
     * @throws IllegalArgumentException if its last registration has ended
     */
    static @Nullable AllocatedMemory holding(MemorySegment segment) {
        Map.Entry<Long, AllocatedMemory> entry = ALL.floorEntry(segment.address());
        while (entry != null && entry.getValue().isGone()) { // which is just being forgotten
            entry = ALL.lowerEntry(entry.getKey());
        }
        if (entry == null) {
            return null;
        }
        AllocatedMemory allocated = entry.getValue();
        long offset = segment.address() - allocated.segment().address();
        if (offset > allocated.segment().byteSize() - segment.byteSize()) {
            return null;
        }
        int n;
        do {
            n = allocated.registrations.get();
            if (n == 0) {
                throw new IllegalArgumentException(
                        "memory is that of a closed region, which has freed it");
            }
        } while (!allocated.registrations.compareAndSet(n, n + 1));
        return allocated;
    }

    MemorySegment segment() {
        return memory.segment();
    }

    private boolean isGone() {
        return registrations.get() == 0 && !segment().scope().isAlive();
    }

    /** Ends a registration. */
    void release() {
        if (registrations.decrementAndGet() == 0) {
            free(memory, segment().byteSize(), gone);
        }
    }

    /** Without memory for that, it counts as gone nevertheless: see {@link #holding}. */
    private void forget() {
        try {
            ALL.remove(segment().address(), this);
        } catch (OutOfMemoryError | StackOverflowError e) {
            // Memory of the same address takes its place.
        }
    }

    private static void free(@Nullable RegionMemory memory, long bytes, Runnable gone) {
        try {
            if (memory != null) {
                memory.free(gone);
            }
        } finally {
            TOTAL.addAndGet(-bytes);
        }
    }

    /** How many bytes there are now. */
    static long total() {
        return TOTAL.get();
    }

    /** How many there may be. */
    static long max() {
        return limit().bytes();
    }

    static void contextOpened() {
        CONTEXTS.incrementAndGet();
    }

    /** The last context to close returns everything to the system. */
    static void contextClosed() {
        if (CONTEXTS.decrementAndGet() == 0 && used) {
            Source.OF_JVM.trim();
        }
    }
}
