package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.RegionMemory;
import io.loomverbs.jcstress.Catches;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadLocalRandom;

/** Threads that allocate, free and use memory of regions at once. */
public class RegionMemoryRaces {
    private static final long BYTES = 4096;

    /** Memory with nothing in it but the pages of one freed region. */
    abstract static class Source {
        final MappedMemory memory = new MappedMemory();
        final RegionMemory first = memory.allocate(BYTES);
    }

    /** What a segment says, also if its memory is free. */
    private static long read(MemorySegment segment) {
        try {
            return segment.get(JAVA_LONG, 0);
        } catch (IllegalStateException closed) {
            return 0;
        }
    }

    /**
     * Two threads allocate regions, or need memory for a call each, and a piece for one is there.
     */
    @JCStressTest
    @Outcome(id = "two", expect = ACCEPTABLE, desc = "each has memory of its own")
    @Outcome(id = "one|none", expect = FORBIDDEN, desc = "they share it, or their list broke")
    @Catches(value = "kept pages are taken without the lock", as = "one|none")
    @Catches(value = "two calls take one piece of memory", as = "one|none")
    @State
    public static class TwoAllocations extends Source {
        private final boolean calls = ThreadLocalRandom.current().nextBoolean();
        private @Nullable Object a;
        private @Nullable Object b;

        public TwoAllocations() {
            first.free(() -> {});
        }

        @Actor
        public void one() {
            a = allocate();
        }

        @Actor
        public void other() {
            b = allocate();
        }

        private @Nullable Object allocate() {
            try {
                return calls ? Scratch.take(0) : memory.allocate(BYTES);
            } catch (IndexOutOfBoundsException | NullPointerException e) {
                return null;
            }
        }

        @Arbiter
        public void look(L_Result r) {
            r.r1 = a == null || b == null ? "none" : a.equals(b) ? "one" : "two";
            if (a instanceof Scratch scratch) {
                scratch.give(0);
            } else if (a instanceof RegionMemory x && b instanceof RegionMemory y) {
                if (x.segment().address() == y.segment().address()) {
                    r.r1 = "one";
                    return;
                }
                x.free(() -> {});
                y.free(() -> {});
                memory.trim();
            }
        }
    }

    /** A program writes to a region, and reads it, while it is closed and its pages used again. */
    @JCStressTest
    @Outcome(id = "zero, own", expect = ACCEPTABLE, desc = "new memory, and nothing of it there")
    @Outcome(id = "data, own", expect = FORBIDDEN, desc = "new memory shows another region's data")
    @Catches(value = "pages are used again as they are", as = "data, own")
    @State
    public static class UseAfterFree extends Source {
        private static final long LATER = 3;

        public UseAfterFree() {
            first.segment().set(JAVA_LONG, 0, 1);
        }

        @Actor
        public void use(LL_Result r) {
            r.r2 = "own";
            MemorySegment closed = first.segment();
            for (int i = 0; i < 20; i++) {
                if (read(closed) == LATER) {
                    r.r2 = "other";
                }
                try {
                    closed.set(JAVA_LONG, 0, 2);
                } catch (IllegalStateException isClosed) {
                    return;
                }
            }
        }

        @Actor
        public void reuse(LL_Result r) {
            first.free(() -> {});
            RegionMemory next = memory.allocate(BYTES);
            r.r1 = next.segment().get(JAVA_LONG, 0) == 0 ? "zero" : "data";
            next.segment().set(JAVA_LONG, 0, LATER);
            next.free(() -> {});
        }

        @Arbiter
        public void end() {
            memory.trim();
        }
    }

    /** Two regions are freed at once: the addresses of all go with the last. */
    @JCStressTest
    @Outcome(id = "gone", expect = ACCEPTABLE, desc = "both are counted")
    @Outcome(id = "leaked", expect = FORBIDDEN, desc = "one is lost: their addresses stay mapped")
    @Catches(value = "freed regions are counted without the lock", as = "leaked")
    @State
    public static class TwoFrees extends Source {
        private final RegionMemory second = memory.allocate(BYTES);

        @Actor
        public void one() {
            first.free(() -> {});
        }

        @Actor
        public void other() {
            second.free(() -> {});
        }

        @Arbiter
        public void look(L_Result r) {
            memory.trim();
            r.r1 = first.segment().scope().isAlive() ? "leaked" : "gone";
        }
    }
}
