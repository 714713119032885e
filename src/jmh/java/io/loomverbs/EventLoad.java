package io.loomverbs;

import java.util.function.Function;

/**
 * Events raised by one thread, on one CQ after the other in a shuffled order: at most so many are
 * under way, and one a CQ, as an armed CQ has it. When they are, the raiser waits until half of
 * them are handled.
 */
final class EventLoad {
    /** Steps through the CQs; prime, so that every CQ comes. */
    private static final int STRIDE = 7919;

    /** CQs of the load that comes first, with handlers of its own. */
    private static final int FIRST_CQS = 100;

    /** Events that each CQ has at least had. */
    private static final int WARM_UPS = 4;

    /** As many in all, or as come in a second, have the code compiled whatever there are of CQs. */
    private static final int ALL_WARM_UPS = 400_000;

    private static final long WARM_UP_NANOS = 1_000_000_000;

    private final EventCarrier carrier;
    private final EventCarrier.Slot[] slots;
    private final int window;
    private int next;
    private int oldest;
    private int underWay;

    EventLoad(
            int cqs,
            int inFlight,
            boolean blocks,
            Function<EventCarrier.Slot[], EventCarrier> carrying) {
        if (cqs > FIRST_CQS) {
            warmUpFew(blocks, carrying);
        }
        window = Math.min(inFlight, cqs);
        slots = new EventCarrier.Slot[cqs];
        for (int i = 0; i < cqs; i++) {
            slots[i] = new EventCarrier.Slot(i, blocks);
        }
        carrier = carrying.apply(slots);
        warmUp();
    }

    /**
     * Has the code of the handlers compiled before the measured ones start. A thread that starts
     * earlier keeps an interpreted frame at the bottom of its stack, so that each park takes the
     * JDK's slower path. How many do so depends on how long the code takes to compile.
     */
    private static void warmUpFew(
            boolean blocks, Function<EventCarrier.Slot[], EventCarrier> carrying) {
        try {
            new EventLoad(FIRST_CQS, FIRST_CQS, blocks, carrying).end();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isCold(int raised, long start) {
        return raised < ALL_WARM_UPS && System.nanoTime() - start < WARM_UP_NANOS;
    }

    private void warmUp() {
        long start = System.nanoTime();
        for (int i = 0; i < WARM_UPS * slots.length || isCold(i, start); i++) {
            raise();
        }
    }

    void raise() {
        if (underWay == window) {
            do {
                awaitOldest();
            } while (underWay > window / 2);
        }
        EventCarrier.Slot slot = slots[next];
        next = after(next);
        underWay++;
        slot.raised++;
        carrier.raise(slot);
    }

    /** Waits for what is under way, and ends the handlers. */
    void end() throws InterruptedException {
        while (underWay > 0) {
            awaitOldest();
        }
        carrier.end();
        for (EventCarrier.Slot slot : slots) {
            if (slot.handled != slot.raised) {
                throw new IllegalStateException(
                        slot.raised + " events raised, " + slot.handled + " handled");
            }
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but speed
    private void awaitOldest() {
        EventCarrier.Slot slot = slots[oldest];
        oldest = after(oldest);
        underWay--;
        while (slot.handled != slot.raised) {
            Thread.yield();
        }
    }

    private int after(int i) {
        return (int) (((long) i + STRIDE) % slots.length);
    }
}
