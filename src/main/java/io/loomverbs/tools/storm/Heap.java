package io.loomverbs.tools.storm;

/** How much of the heap live objects use. */
public final class Heap {
    private static final int COLLECTIONS = 3;

    private Heap() {}

    /**
     * Collects garbage, and measures the rest.
     *
     * @return bytes
     */
    public static long usedBytes() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }
}
