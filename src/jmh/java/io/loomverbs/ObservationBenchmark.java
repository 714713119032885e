package io.loomverbs;

import io.loomverbs.internal.device.CqListener;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What it costs that a program can be looked into: Flight Recorder that is there and off, against a
 * JVM without its module, where all of it is compiled away; what is tracked for leaks; statistics.
 *
 * <p>The statistics themselves are always on: an addition under a lock or a gate that a poll and an
 * arm hold anyway. So there is nothing to compare them with, and reading them is measured.
 */
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ObservationBenchmark {
    /** All modules that a JVM with JMH needs, and not {@code jdk.jfr}. */
    private static final String WITHOUT_JFR =
            "--limit-modules=java.se,jdk.management,jdk.unsupported";

    private static final String RECORDS_ALL =
            "-XX:StartFlightRecording:+loomverbs.EventWait#threshold=0ns,"
                    + "+loomverbs.ArmToEvent#enabled=true";

    /** A CQ and its device, with a level of leak detection. For a JVM of its own. */
    @State(Scope.Thread)
    public static class Tracked {
        @Param({"off", "sampled", "full"})
        public String leakDetection;

        private Context context;
        private CompletionQueue cq;
        private CqListener device;

        /** The property is read when the first device is opened. */
        @Setup
        public void open() {
            System.setProperty("loomverbs.leakDetection", leakDetection);
            context = Verbs.device("soft0").open();
            cq = context.createDirectCq(1);
            device = cq.listener();
        }

        @TearDown
        public void close() {
            cq.close();
            context.close();
        }
    }

    /** A CQ to be armed. */
    @State(Scope.Thread)
    public static class Armed {
        private final Context context = Verbs.device("soft0").open();
        private final CompletionQueue cq = context.createDirectCq(1);

        @TearDown
        public void close() {
            cq.close();
            context.close();
        }
    }

    /** Some CQs, of which nobody waits for one. */
    @State(Scope.Thread)
    public static class Crowd {
        @Param({"1", "100", "10000"})
        public int cqs;

        private final Context context = Verbs.device("soft0").open();
        private final List<CompletionQueue> all = new ArrayList<>();

        @Setup
        public void open() {
            for (int i = 0; i < cqs; i++) {
                all.add(context.createDirectCq(1));
            }
        }

        @TearDown
        public void close() {
            all.forEach(CompletionQueue::close);
            context.close();
        }
    }

    /** Flight Recorder is there, and off. */
    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    public long wake(WakeBenchmark.DirectCrowd crowd) {
        return crowd.raiseAndSpin();
    }

    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @Fork(jvmArgsPrepend = WITHOUT_JFR)
    public long wakeWithoutJfr(WakeBenchmark.DirectCrowd crowd) {
        return crowd.raiseAndSpin();
    }

    /** It records each wait and each arm. */
    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @Fork(jvmArgsPrepend = RECORDS_ALL)
    public long wakeRecorded(WakeBenchmark.DirectCrowd crowd) {
        return crowd.raiseAndSpin();
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    public void arm(Armed armed) {
        armed.cq.reqNotify(false);
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    @Fork(jvmArgsPrepend = WITHOUT_JFR)
    public void armWithoutJfr(Armed armed) {
        armed.cq.reqNotify(false);
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    public void createAndClose(Tracked tracked) {
        tracked.context.createDirectCq(1).close();
    }

    /** An event is raised, received and acknowledged. */
    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    public void event(Tracked tracked) {
        tracked.device.completionEvent();
        CqEvent event = tracked.cq.tryGetCqEvent();
        if (event != null) {
            event.close();
        }
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    public ContextStats stats(Crowd crowd) {
        return crowd.context.stats();
    }
}
