package io.loomverbs.api;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;

import java.lang.foreign.MemorySegment;

/** A JVM of its own, in which little memory is enough for many regions, one after the other. */
public final class RegionMemoryChild {
    private RegionMemoryChild() {}

    /** Prints what becomes of so many regions of so many bytes. */
    public static void main(String[] args) {
        int regions = Integer.parseInt(args[0]);
        long bytes = Long.parseLong(args[1]);
        try (Context context = Verbs.device(Fixture.DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            for (int i = 0; i < regions; i++) {
                try (MemoryRegion mr = pd.allocateMr(bytes, Access.LOCAL_WRITE)) {
                    MemorySegment memory = mr.memory();
                    for (long at = 0; at < bytes; at += 4096) {
                        if (memory.get(JAVA_BYTE, at) != 0) {
                            throw new IllegalStateException("not zero: region " + i + ", " + at);
                        }
                        memory.set(JAVA_BYTE, at, (byte) 1);
                    }
                }
            }
            System.out.println(regions + " regions, in use " + Verbs.allocatedMemory());
        } catch (VerbsException | IllegalArgumentException | OutOfMemoryError e) {
            System.out.println(e.getMessage());
        }
    }
}
