package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** A peer writes by the key of a memory window while the key is withdrawn. */
public class WindowRaces {
    private static final int BYTES = 64;
    private static final int OPEN = Ibv.ACCESS_LOCAL_WRITE | Ibv.ACCESS_MW_BIND;
    private static final MemorySegment SOURCE = Arena.global().allocate(BYTES, 8).fill((byte) -1);
    private static final int SLOTS = 16_384;
    private static final MemorySegment MEMORY = Arena.global().allocate((long) SLOTS * BYTES, 64);
    private static final AtomicInteger LAST = new AtomicInteger();
    private static final MrOps LOCAL = RaceQp.PD.regMr(SOURCE, 0);

    /** b has bound a window, and a posts to it. */
    static class Scene {
        final MemorySegment memory =
                MEMORY.asSlice(Math.floorMod(LAST.getAndIncrement(), SLOTS) * (long) BYTES, BYTES);
        private final RacePair pair = new RacePair(0);
        private final MrOps mr = RaceQp.PD.regMr(memory, OPEN);
        private final MwOps mw = RaceQp.PD.allocMw(Ibv.MW_TYPE_2);
        private final SendWr write = RaceQp.sendOfNothing(1);
        private final SendWr withdraw = RaceQp.sendOfNothing(2);

        Scene() {
            memory.fill((byte) 0);
            SendWr bind = new SendWr(1, 0);
            int key = mw.rkey() + 1;
            bind.bind(mw, key, mr, memory.address(), BYTES, Ibv.ACCESS_REMOTE_WRITE);
            pair.b.send(bind);
            write.opcode(Ibv.WR_RDMA_WRITE);
            write.rdma(memory.address(), key);
            write.sge(0, SOURCE.address(), BYTES, LOCAL.lkey());
            write.numSge(1);
            withdraw.opcode(Ibv.WR_LOCAL_INV);
            withdraw.immData(key);
        }

        final void write() {
            pair.a.send(write);
        }

        /** Once the request has completed: what is in the memory. */
        final String invalidate() {
            pair.b.send(withdraw);
            MemorySegment wcs = SoftCqRaces.room();
            while (pair.b.sends.poll(wcs, 0, 1) == 0) {
                Thread.onSpinWait();
            }
            return WcStruct.wrId(wcs, 0) == 2 ? seen() : "of another request";
        }

        final String dealloc() {
            mw.dealloc();
            return seen();
        }

        final String seen() {
            long first = memory.get(JAVA_LONG, 0);
            for (long at = 8; at < BYTES; at += 8) {
                if (memory.get(JAVA_LONG, at) != first) {
                    return "torn";
                }
            }
            return first == 0 ? "old" : "new";
        }

        final void end() {
            mw.dealloc();
            mr.dereg();
            pair.end();
        }
    }

    /** What was written is there, or is not, when a LOCAL_INV has completed, and stays so. */
    @JCStressTest
    @Outcome(id = "old, old", expect = ACCEPTABLE, desc = "invalidated before")
    @Outcome(id = "new, new", expect = ACCEPTABLE, desc = "written before")
    @Outcome(id = "(old|torn), new", expect = FORBIDDEN, desc = "a write follows the completion")
    @Catches(value = "an invalidation does not wait for a write", as = "(old|torn), new")
    @State
    public static class InvalidateWrite extends Scene {
        @Actor
        public void peer() {
            write();
        }

        @Actor
        public void owner(LL_Result r) {
            r.r1 = invalidate();
        }

        @Arbiter
        public void afterwards(LL_Result r) {
            r.r2 = seen();
            end();
        }
    }

    /** The same when the window is closed. */
    @JCStressTest
    @Outcome(id = "old, old", expect = ACCEPTABLE, desc = "closed before")
    @Outcome(id = "new, new", expect = ACCEPTABLE, desc = "written before")
    @Outcome(id = "(old|torn), new", expect = FORBIDDEN, desc = "a write follows the close")
    @Catches(value = "an invalidation does not wait for a write", as = "(old|torn), new")
    @State
    public static class DeallocWrite extends Scene {
        @Actor
        public void peer() {
            write();
        }

        @Actor
        public void owner(LL_Result r) {
            r.r1 = dealloc();
        }

        @Arbiter
        public void afterwards(LL_Result r) {
            r.r2 = seen();
            end();
        }
    }
}
