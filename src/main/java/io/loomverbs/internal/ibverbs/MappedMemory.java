package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.RegionMemory;
import io.loomverbs.internal.device.RegionMemorySource;
import io.loomverbs.internal.ffi.Pages;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Memory of regions, in whole pages.
 *
 * <p>Freeing a region returns its pages at once: their addresses stay mapped, without memory, and
 * read zero. A segment may still name them, so they are reused only after the segment's arena is
 * closed. Closing an arena takes a handshake with every thread, so {@value #GENERATION} regions
 * share one, which is closed when all of them are free.
 *
 * <p>New pages are expensive: the kernel zeroes each at its first access, in a separate fault. So
 * the pages of freed regions, up to {@value #KEPT_BYTES} bytes, are kept for the next ones: they
 * are moved to addresses that no segment has named, and zeroed there.
 */
final class MappedMemory implements RegionMemorySource {
    static final int GENERATION = 256;
    static final long KEPT_BYTES = 4 << 20;

    /** Each group of moved pages is a separate mapping; a process can have about 65,000. */
    private static final int MOST_MOVED = 4_096;

    /** Regions that share an arena. */
    private static final class Generation {
        final Arena arena = Arena.ofShared();

        /** The address and size of each freed region, alternately. */
        final long[] freed = new long[2 * GENERATION];

        /** The actions to run for them when the arena is closed. */
        final @Nullable Runnable[] gone = new Runnable[GENERATION];

        /** How many of them were moved. */
        int moved;

        int made;
        int count;
    }

    /** Pages that no segment has named at their address. */
    private record Span(long address, long size, boolean moved) {}

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private Generation current = new Generation();

    @GuardedBy("lock")
    private final Deque<Span> kept = new ArrayDeque<>();

    @GuardedBy("lock")
    private long keptBytes;

    @GuardedBy("lock")
    private int moved;

    /** Generations all free, whose arenas could not be closed: a system call used the memory. */
    @GuardedBy("lock")
    private final List<Generation> busy = new ArrayList<>();

    private final class Memory implements RegionMemory {
        private final Generation generation;
        private final Span pages;
        private final MemorySegment segment;

        Memory(Generation generation, Span pages, long bytes) {
            this.generation = generation;
            this.pages = pages;
            this.segment = Pages.segment(pages.address, bytes, generation.arena);
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public void free(Runnable gone) {
            try {
                keepOrDiscard(pages);
            } finally { // a generation of which one never leaves is never closed
                leave(generation, pages, gone);
            }
        }
    }

    @Override
    public RegionMemory allocate(long bytes) {
        long page = Pages.size();
        long size = (bytes + page - 1) / page * page;
        Generation generation;
        Span pages;
        lock.lock();
        try {
            generation = current;
            if (generation.made == GENERATION - 1) {
                current = new Generation();
            }
            generation.made++;
            pages = takeKept(size);
        } finally {
            lock.unlock();
        }
        RegionMemory memory = null;
        try {
            pages = pages == null ? map(size) : zeroed(pages);
            memory = new Memory(generation, pages, bytes);
            return memory;
        } finally {
            if (memory == null) {
                leave(generation, pages, null);
            }
        }
    }

    @GuardedBy("lock")
    private @Nullable Span takeKept(long size) {
        for (Span pages : kept) {
            if (pages.size == size) {
                kept.remove(pages);
                keptBytes -= size;
                return pages;
            }
        }
        return null;
    }

    private static Span zeroed(Span pages) {
        Pages.zero(pages.address, pages.size);
        return pages;
    }

    private static Span map(long size) {
        long address = Pages.map(size);
        if (address == -1) {
            throw new DeviceException(
                    Errno.ENOMEM,
                    "mmap of "
                            + size
                            + " bytes: the system has no more memory or addresses for this process:"
                            + " see ulimit -v, vm.overcommit_memory and vm.max_map_count");
        }
        return new Span(address, size, false);
    }

    private void keepOrDiscard(Span pages) {
        long address = maySpare(pages.size) ? Pages.moveOut(pages.address, pages.size) : -1;
        boolean keeping = false;
        if (address != -1) {
            try {
                Span spare = new Span(address, pages.size, true);
                lock.lock();
                try {
                    if (keptBytes + spare.size <= KEPT_BYTES) {
                        kept.add(spare);
                        keptBytes += spare.size;
                        moved++;
                        keeping = true;
                    }
                } finally {
                    lock.unlock();
                }
            } finally {
                if (!keeping) {
                    Pages.unmap(address, pages.size);
                }
            }
        } else if (!Pages.discard(pages.address, pages.size)) {
            // They are locked (mlockall), and cannot be given back: their contents must not be
            // seen.
            Pages.zero(pages.address, pages.size);
        }
    }

    /** Whether pages are worth keeping; releases others for them. */
    private boolean maySpare(long size) {
        if (size > KEPT_BYTES) {
            return false;
        }
        for (; ; ) {
            Span oldest;
            lock.lock();
            try {
                if (moved >= MOST_MOVED) {
                    return false;
                }
                if (keptBytes + size <= KEPT_BYTES) {
                    return true;
                }
                oldest = kept.remove();
                keptBytes -= oldest.size;
                moved--;
            } finally {
                lock.unlock();
            }
            Pages.unmap(oldest.address, oldest.size);
        }
    }

    /** A region is free, or could not be made and never had pages. */
    private void leave(Generation generation, @Nullable Span pages, @Nullable Runnable gone) {
        boolean over;
        lock.lock();
        try {
            int at = 2 * generation.count;
            if (pages != null) {
                generation.freed[at] = pages.address;
                generation.freed[at + 1] = pages.size;
                generation.moved += pages.moved ? 1 : 0;
            }
            generation.gone[generation.count] = gone;
            generation.count++;
            over = generation.count == GENERATION;
        } finally {
            lock.unlock();
        }
        if (over) {
            closeAll(List.of(generation));
        }
    }

    /** Unmaps the memory of the regions of these generations; that of generations in use, later. */
    private void closeAll(List<Generation> over) {
        List<Generation> all = new ArrayList<>(over);
        lock.lock();
        try {
            all.addAll(busy);
            busy.clear();
        } finally {
            lock.unlock();
        }
        for (Generation generation : all) {
            boolean closed = close(generation.arena);
            if (closed) {
                unmap(generation);
            }
            lock.lock();
            try {
                if (closed) {
                    moved -= generation.moved;
                } else {
                    busy.add(generation);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private static boolean close(Arena arena) {
        try {
            arena.close();
            return true;
        } catch (IllegalStateException inUse) {
            return false;
        }
    }

    private static void unmap(Generation generation) {
        for (int i = 0; i < generation.count; i++) {
            Runnable gone = generation.gone[i];
            if (gone != null) {
                gone.run(); // before the addresses can be used again
            }
            long size = generation.freed[2 * i + 1];
            if (size != 0) {
                Pages.unmap(generation.freed[2 * i], size);
            }
        }
    }

    @Override
    public void trim() {
        List<Span> spare;
        List<Generation> over = List.of();
        lock.lock();
        try {
            spare = List.copyOf(kept);
            if (current.count > 0 && current.count == current.made) {
                over = List.of(current);
                current = new Generation();
            }
            kept.clear();
            keptBytes = 0;
            moved -= spare.size();
        } finally {
            lock.unlock();
        }
        spare.forEach(pages -> Pages.unmap(pages.address, pages.size));
        closeAll(over);
    }
}
