package io.loomverbs;

import java.util.concurrent.locks.LockSupport;

/** What brings events from where they come up to the handlers of their CQs. */
interface EventCarrier {
    /** One CQ, and what its handler has done. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one event of a CQ is under way at a time
    final class Slot {
        private static final long BLOCK_NANOS = 1_000_000;

        final int index;
        private final boolean blocks;

        /** By the thread that raises. */
        long raised;

        volatile long handled;

        /** What the carrier keeps for it. */
        Object carried;

        Slot(int index, boolean blocks) {
            this.index = index;
            this.blocks = blocks;
        }

        void handle() {
            if (blocks) {
                LockSupport.parkNanos(BLOCK_NANOS);
            }
            handled = handled + 1;
        }
    }

    /** An event of this CQ comes up. */
    void raise(Slot slot);

    /** Ends all handlers; nothing is under way. */
    void end() throws InterruptedException;
}
