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

    private static final int WARM_UPS = 4;

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
        window = Math.min(inFlight, cqs);
        slots = new EventCarrier.Slot[cqs];
        for (int i = 0; i < cqs; i++) {
            slots[i] = new EventCarrier.Slot(i, blocks);
        }
        carrier = carrying.apply(slots);
        // With 100,000 CQs few would have had a second event by the end of the warm-up.
        for (int i = 0; i < WARM_UPS * cqs; i++) {
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
