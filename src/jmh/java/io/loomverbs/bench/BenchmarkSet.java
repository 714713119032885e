package io.loomverbs.bench;

import java.util.List;

/**
 * Benchmarks that are run and read together.
 *
 * @param name how the command names it
 * @param what what it measures
 * @param benchmarks the simple name of their class
 * @param threads to run it with, one after the other
 * @param timed whether iterations take as long as the command says; else the class says how many
 *     there are
 */
record BenchmarkSet(
        String name, String what, String benchmarks, List<Integer> threads, boolean timed) {

    private static final List<Integer> ONE = List.of(1);

    static final List<BenchmarkSet> ALL =
            List.of(
                    new BenchmarkSet(
                            "ack",
                            "acknowledging an event; 1 to 8 threads, on one CQ and on their own",
                            "AckBenchmark",
                            List.of(1, 2, 4, 8),
                            true),
                    new BenchmarkSet(
                            "wake",
                            "from an event to the handler that runs: in memory and through a pipe,"
                                    + " hot and after idle",
                            "WakeBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "events",
                            "events a second with 1 to 100,000 CQs, by what carries them",
                            "EventsBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "fds",
                            "events a second through pipes and epoll, by what waits there",
                            "FdEventsBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "verbs",
                            "posting and polling on soft0, by size and batch",
                            "VerbsBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "steps",
                            "poll, arm, post, event: each alone, and what it allocates",
                            "CompletionBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "close",
                            "closing a CQ with events outstanding; creating and closing one",
                            "CloseBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "watch",
                            "what it costs to be looked into: Flight Recorder off and on, leak"
                                    + " detection, statistics",
                            "ObservationBenchmark",
                            ONE,
                            true),
                    new BenchmarkSet(
                            "memory", "what an idle handler holds", "MemoryBenchmark", ONE, false));

    /** As JMH finds them: the end of the class's name, a dot, and any method. */
    String pattern() {
        return "\\.%s\\.".formatted(benchmarks);
    }
}
