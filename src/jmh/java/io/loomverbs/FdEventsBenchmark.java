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
 * {@link EventsBenchmark} through real file descriptors: each event is 8 bytes that the raiser
 * writes to a pipe, one system call, which all ways pay alike. A CQ has a channel, which is a pipe,
 * of its own; {@code oneChannel} and {@code direct} have one pipe for all.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class FdEventsBenchmark {
    @Param({"1", "16", "100", "1000"})
    public int cqs;

    @Param({"1024"})
    public int inFlight;

    @Param({
        "channelEach",
        "pollerThread",
        "oneChannel",
        "direct",
        "inlineEpoll",
        "threadEach",
        "oneShot",
        "jdkPipe"
    })
    public String by;

    private EventLoad load;

    @Setup
    public void start() {
        load = new EventLoad(cqs, inFlight, false, slots -> FdCarriers.of(by, slots));
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
