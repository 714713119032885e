package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.L_Result;

import java.lang.foreign.MemorySegment;

/** Registrations of one memory that come and go. */
public class AllocatedMemoryRaces {
    /** A region is registered once more while its only registration ends. */
    @JCStressTest
    @Outcome(id = "held", expect = ACCEPTABLE, desc = "the second registration keeps the memory")
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "it came too late, and does not hold it")
    @Outcome(id = "freed", expect = FORBIDDEN, desc = "it holds memory that is free")
    @Catches(value = "a registration holds memory that was freed meanwhile", as = "freed")
    @State
    public static class HoldRelease {
        private final AllocatedMemory memory = AllocatedMemory.allocate(Long.BYTES);
        private final MemorySegment segment = memory.segment();

        public HoldRelease() {
            segment.set(JAVA_LONG, 0, 1);
        }

        @Actor
        public void register(L_Result r) {
            AllocatedMemory held;
            try {
                held = AllocatedMemory.holding(segment);
            } catch (IllegalArgumentException closed) {
                held = null;
            }
            if (held == null) {
                r.r1 = "none";
                return;
            }
            r.r1 = "held";
            for (int i = 0; i < 100; i++) {
                if (!isThere()) {
                    r.r1 = "freed";
                }
                Thread.onSpinWait();
            }
            held.release();
        }

        private boolean isThere() {
            try {
                return segment.get(JAVA_LONG, 0) == 1;
            } catch (IllegalStateException closed) {
                return false;
            }
        }

        @Actor
        public void close() {
            memory.release();
        }
    }
}
