package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LLL_Result;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A region that is changed while another thread closes it. */
public class RegionRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();
    private static final MemorySegment MEMORY = Arena.global().allocate(Long.BYTES);

    /** The region moves to another protection domain, or is closed before; neither keeps it. */
    @JCStressTest
    @Outcome(id = "changed, closed, free", expect = ACCEPTABLE, desc = "changed, then closed")
    @Outcome(id = "refused, closed, free", expect = ACCEPTABLE, desc = "closed before")
    @Outcome(id = ".*, open, .*", expect = FORBIDDEN, desc = "open after its close")
    @Outcome(id = ".*, .*, in use", expect = FORBIDDEN, desc = "a domain that no close can end")
    @Outcome(id = "failed.*", expect = FORBIDDEN, desc = "neither changed nor refused")
    @Catches(value = "a region is changed while it is closed", as = ".*, open, .*")
    @State
    public static class ReregClose {
        private final ProtectionDomain before = CONTEXT.allocPd();
        private final ProtectionDomain after = CONTEXT.allocPd();
        private final MemoryRegion region = before.regMr(MEMORY, Access.LOCAL_WRITE);

        @Actor
        public void change(LLL_Result r) {
            try {
                region.rereg(MrChanges.of().withPd(after));
                r.r1 = "changed";
            } catch (ClosedException e) {
                r.r1 = "refused";
            } catch (RuntimeException e) {
                r.r1 = "failed";
            }
        }

        @Actor
        public void close() {
            try {
                region.close();
            } catch (RuntimeException e) {
                // It stays open, or in use: that is seen in the end.
            }
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = region.usage().isClosed() ? "closed" : "open";
            r.r3 = isFree(before) && isFree(after) ? "free" : "in use";
        }

        private static boolean isFree(ProtectionDomain pd) {
            try {
                pd.close();
                return true;
            } catch (VerbsException e) {
                return false;
            }
        }
    }
}
