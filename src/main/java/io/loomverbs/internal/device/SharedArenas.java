package io.loomverbs.internal.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory of the JDK's shared arenas, one for each region: for a JVM in which the library may not
 * call native code. To close such an arena the JDK checks each thread in turn for a use of it,
 * which costs a few microseconds a thread.
 */
public final class SharedArenas implements RegionMemorySource {
    /** Cache lines, so that regions of one program do not share one. */
    private static final int ALIGNMENT = 64;

    /** Arenas that could not be closed, because a system call was using their memory. */
    private final Queue<Busy> busy = new ConcurrentLinkedQueue<>();

    private record Busy(Arena arena, Runnable gone) {}

    private final class Memory implements RegionMemory {
        private final Arena arena;
        private final MemorySegment segment;

        Memory(Arena arena, MemorySegment segment) {
            this.arena = arena;
            this.segment = segment;
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public void free(Runnable gone) {
            closeBusy();
            close(new Busy(arena, gone));
        }
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // by RegionMemory.free
    public RegionMemory allocate(long bytes) {
        closeBusy();
        Arena arena = Arena.ofShared();
        Memory memory = null;
        try {
            memory = new Memory(arena, arena.allocate(bytes, ALIGNMENT));
            return memory;
        } catch (OutOfMemoryError e) {
            String why = String.valueOf(e.getMessage());
            if (why.contains("heap")) {
                throw e;
            }
            throw new DeviceException(
                    Errno.ENOMEM,
                    why
                            + ": raise -XX:MaxDirectMemorySize (by default the value of -Xmx), or"
                            + " close regions");
        } finally {
            if (memory == null) {
                arena.close();
            }
        }
    }

    private void closeBusy() {
        for (int left = busy.size(); left > 0; left--) {
            Busy oldest = busy.poll();
            if (oldest == null) {
                return;
            }
            close(oldest);
        }
    }

    private void close(Busy freed) {
        try {
            freed.arena.close();
        } catch (IllegalStateException inUse) {
            busy.add(freed);
            return;
        }
        freed.gone.run();
    }

    @Override
    public void trim() {
        closeBusy();
    }
}
