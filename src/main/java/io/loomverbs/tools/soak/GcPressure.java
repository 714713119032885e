package io.loomverbs.tools.soak;

import java.time.Duration;

/** Makes garbage, some of which lives for a while, and forces a full collection now and then. */
final class GcPressure implements SoakPart {
    private static final int RING = 64;
    private static final int CHUNK = 64 << 10;
    private static final int CHUNKS = 32;
    private static final Duration PAUSE = Duration.ofMillis(10);
    private static final long COLLECT_NANOS = 2_000_000_000;

    @Override
    public String name() {
        return "gc-pressure";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        byte[][] ring = new byte[RING][];
        int at = 0;
        long collected = System.nanoTime() - COLLECT_NANOS; // one in each round at least
        do {
            for (int i = 0; i < CHUNKS; i++) {
                ring[at++ % RING] = new byte[CHUNK];
            }
            if (System.nanoTime() - collected >= COLLECT_NANOS) {
                System.gc();
                collected = System.nanoTime();
                round.counts().add(SoakCounts.Kind.COLLECTIONS, 1);
            }
        } while (!round.awaitEnd(PAUSE));
    }
}
