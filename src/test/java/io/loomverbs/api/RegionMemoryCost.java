package io.loomverbs.api;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What regions of 1 MiB cost, one after the other, beside memory of malloc; not a test. */
public final class RegionMemoryCost {
    private static final long BYTES = 1 << 20;
    private static final int ROUNDS = 3;
    private static final Linker LINKER = Linker.nativeLinker();

    private RegionMemoryCost() {}

    @SuppressWarnings("restricted") // tests may
    private static MethodHandle link(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
    }

    /** Prints microseconds a region. */
    public static void main(String[] args) throws Throwable {
        int regions = args.length > 0 ? Integer.parseInt(args[0]) : 5_000;
        MethodHandle malloc = link("malloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
        MethodHandle free = link("free", FunctionDescriptor.ofVoid(JAVA_LONG));
        try (Context context = Verbs.device(Fixture.DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                for (int i = 0; i < regions; i++) {
                    long address = (long) malloc.invoke(BYTES);
                    register(pd, address);
                    free.invoke(address);
                }
                long middle = System.nanoTime();
                for (int i = 0; i < regions; i++) {
                    try (MemoryRegion mr = pd.allocateMr(BYTES, Access.LOCAL_WRITE)) {
                        mr.memory().fill((byte) 1);
                    }
                }
                long end = System.nanoTime();
                System.out.printf(
                        "malloc, fill, regMr, close, free %.1f us; allocateMr, fill, close %.1f"
                                + " us%n",
                        (middle - start) / 1e3 / regions, (end - middle) / 1e3 / regions);
            }
        }
    }

    @SuppressWarnings("restricted") // tests may
    private static void register(ProtectionDomain pd, long address) {
        MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(BYTES);
        memory.fill((byte) 1);
        pd.regMr(memory, Access.LOCAL_WRITE).close();
    }
}
