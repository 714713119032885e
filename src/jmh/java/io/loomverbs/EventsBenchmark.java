package io.loomverbs;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;

/**
 * Events a second, from one thread that raises them to the handlers of many CQs, by what carries
 * them there.
 *
 * <p>The same in all: one platform thread raises, on one CQ after the other in a shuffled order; at
 * most {@code inFlight} events are under way (and one a CQ, as an armed CQ has it), and when they
 * are, the raiser waits until half of them are handled. The handler of a CQ does one volatile
 * write, and before it nothing, or it blocks for 1 ms as one does that waits for a peer or a disk.
 * The event itself is what is measured, so there is no polling, which would cost the same
 * everywhere.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class EventsBenchmark {
    /** Steps through the CQs; prime, so that every CQ comes. */
    private static final int STRIDE = 7919;

    private static final int WARM_UPS = 4;

    @Param({"1", "100", "1000", "10000", "100000"})
    public int cqs;

    @Param({"1024"})
    public int inFlight;

    @Param({"none", "block1ms"})
    public String work;

    @Param({
        "direct",
        "oneChannel",
        "sixteenChannels",
        "channelEach",
        "inlineDispatcher",
        "pool64",
        "queueEach",
        "threadEach"
    })
    public String by;

    private EventCarrier carrier;
    private EventCarrier.Slot[] slots;
    private int next;
    private int oldest;
    private int underWay;
    private int window;

    @Setup
    public void start() {
        window = Math.min(inFlight, cqs);
        slots = new EventCarrier.Slot[cqs];
        for (int i = 0; i < cqs; i++) {
            slots[i] = new EventCarrier.Slot(i, work.equals("block1ms"));
        }
        carrier = EventCarriers.of(by, slots);
        // With 100,000 CQs few would have had a second event by the end of the warm-up.
        for (int i = 0; i < WARM_UPS * cqs; i++) {
            raise();
        }
    }

    @TearDown
    public void end() throws InterruptedException {
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

    @Benchmark
    public void raise() {
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
        return (int) (((long) i + STRIDE) % cqs);
    }
}
