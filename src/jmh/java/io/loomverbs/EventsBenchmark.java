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
 * most {@code inFlight} events are under way ({@link EventLoad}). The handler of a CQ does one
 * volatile write, and before it nothing, or it blocks for 1 ms as one does that waits for a peer or
 * a disk. The event itself is what is measured, so there is no polling, which would cost the same
 * everywhere.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class EventsBenchmark {
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
        "unparkEach",
        "pool64",
        "queueEach",
        "threadEach"
    })
    public String by;

    private EventLoad load;

    @Setup
    public void start() {
        load =
                new EventLoad(
                        cqs,
                        inFlight,
                        work.equals("block1ms"),
                        slots -> EventCarriers.of(by, slots));
    }

    @TearDown
    public void end() throws InterruptedException {
        load.end();
    }

    @Benchmark
    public void raise() {
        load.raise();
    }
}
