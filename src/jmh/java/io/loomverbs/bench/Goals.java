package io.loomverbs.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/** What is to be reached. Each goal is judged by its median over the rounds. */
final class Goals {
    private static final double P999 = 99.9;
    private static final double NANOS = 1e9;

    /**
     * One goal, judged.
     *
     * @param what in words
     * @param atMost whether the limit is an upper one
     * @param reached the figure of this run, or null if it was not measured
     * @param rounds of how many rounds it is
     */
    record Goal(String what, boolean atMost, double limit, Figure reached, int rounds) {
        /** Met, not met, or, of too few rounds to tell, undecided. */
        String verdict() {
            if (rounds < Comparison.LEAST_ROUNDS) {
                return "undecided";
            }
            return isMet() ? "met" : "not met";
        }

        boolean isMet() {
            return atMost ? reached.median() <= limit : reached.median() >= limit;
        }

        String bar() {
            return (atMost ? "at most " : "at least ") + Figure.digits(limit);
        }
    }

    private final Results results;
    private final List<Goal> goals = new ArrayList<>();

    Goals(Results results) {
        this.results = results;
        ack("own", 1);
        ack("shared", 1);
        ack("own", 8);
        ack("shared", 8);
        wake("hot", 1.3);
        wake("idle", 1.1);
        for (String method : List.of("fdChannel", "fdDirect")) {
            ratio(
                    "wake through a pipe after idle p50, "
                            + (method.equals("fdDirect") ? "direct" : "channel")
                            + ", against a C thread in read(2)",
                    true,
                    1.3,
                    wake(method, "idle", ""),
                    wake("readInC", "idle", ""),
                    Measurement::scores);
        }
        ratio(
                "wake, hot p50, Flight Recorder off, against a JVM without it",
                true,
                1.03,
                observed("wake"),
                observed("wakeWithoutJfr"),
                Measurement::scores);
        ratio(
                "wake, hot p99.9: 10,000 CQs against 10",
                true,
                2,
                wake("direct", "hot", "10000"),
                wake("direct", "hot", "10"),
                m -> m.percentiles(P999));
        for (String by : List.of("oneChannel", "direct")) {
            String of = "events/s, " + (by.equals("direct") ? "direct" : "one channel");
            for (String work : List.of("none", "block1ms")) {
                String many =
                        of
                                + ", 10,000 CQs, handlers that "
                                + (work.equals("none") ? "never block" : "block for 1 ms")
                                + ", against ";
                events(many + "a platform thread each", by, "threadEach", work, 3);
                events(many + "a dispatcher with a pool of 64", by, "pool64", work, 1.5);
                events(many + "a LinkedBlockingQueue each", by, "queueEach", work, 1.2);
            }
            ratio(
                    of + ", 100,000 CQs against 1,000",
                    false,
                    0.8,
                    events(by, "100000", "none"),
                    events(by, "1000", "none"),
                    Measurement::scores);
        }
        absolute(
                "heap of an idle handler, bytes",
                true,
                1536,
                m -> m.benchmark().equals("MemoryBenchmark.servedCq"),
                m -> m.other("heapBytesEach"));
        Predicate<Measurement> message =
                m ->
                        m.benchmark().equals("VerbsBenchmark.sendRecv")
                                && m.param("size").equals("64")
                                && m.param("batch").equals("1");
        absolute(
                "RC SEND/RECV of 64 B on soft0, million/s on one thread",
                false,
                3,
                message,
                m -> divided(NANOS / 1e6, m.scores()));
        absolute(
                "bytes allocated for one such",
                true,
                0.1, // no object has less than 8 bytes: what is less than this is the profiler's
                // own
                message,
                m -> m.other(Measurement.ALLOCATED));
    }

    List<Goal> goals() {
        return goals;
    }

    private static double[] divided(double what, double[] by) {
        double[] quotients = new double[by.length];
        for (int i = 0; i < by.length; i++) {
            quotients[i] = what / by[i];
        }
        return quotients;
    }

    private void ack(String of, int threads) {
        String where =
                (of.equals("own") ? "own CQs, " : "one CQ, ")
                        + threads
                        + (threads == 1 ? " thread" : " threads");
        ratio(
                "ack against a bare getAndAdd, " + where,
                true,
                1.3,
                ack("ackEvents", of, threads),
                ack("getAndAdd", of, threads),
                Measurement::scores);
        ratio(
                "ack against ibv_ack_cq_events, " + where,
                true,
                0.5,
                ack("ackEvents", of, threads),
                ack("ibvAckCqEvents", of, threads),
                Measurement::scores);
    }

    private static Predicate<Measurement> ack(String method, String of, int threads) {
        return m ->
                m.benchmark().equals("AckBenchmark." + method)
                        && m.threads() == threads
                        && m.param("of").equals(of);
    }

    private void wake(String after, double limit) {
        ratio(
                "wake, " + after + " p50, against a bare unpark",
                true,
                limit,
                wake("direct", after, "1"),
                wake("unpark", after, "1"),
                Measurement::scores);
    }

    private static Predicate<Measurement> wake(String method, String after, String cqs) {
        return m ->
                m.benchmark().equals("WakeBenchmark." + method)
                        && m.param("after").equals(after)
                        && m.param("cqs").equals(cqs);
    }

    private static Predicate<Measurement> observed(String method) {
        return m ->
                m.benchmark().equals("ObservationBenchmark." + method)
                        && m.param("after").equals("hot")
                        && m.param("cqs").equals("1");
    }

    private void events(String what, String by, String peer, String work, double limit) {
        ratio(
                what,
                false,
                limit,
                events(by, "10000", work),
                events(peer, "10000", work),
                Measurement::scores);
    }

    private static Predicate<Measurement> events(String by, String cqs, String work) {
        return m ->
                m.benchmark().equals("EventsBenchmark.raise")
                        && m.param("by").equals(by)
                        && m.param("work").equals(work)
                        && m.param("cqs").equals(cqs);
    }

    /** Round by round, since what disturbs a round disturbs both. */
    private void ratio(
            String what,
            boolean atMost,
            double limit,
            Predicate<Measurement> over,
            Predicate<Measurement> under,
            Function<Measurement, double[]> figure) {
        List<Measurement> above = results.of(over);
        List<Measurement> below = results.of(under);
        Figure reached = null;
        int rounds = 0;
        if (above.size() == 1 && below.size() == 1) {
            double[] a = figure.apply(above.get(0));
            double[] b = figure.apply(below.get(0));
            rounds = Math.min(a.length, b.length);
            double[] ratios = new double[rounds];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = a[i] / b[i];
            }
            reached = Figure.of(ratios);
        }
        goals.add(new Goal(what, atMost, limit, reached, rounds));
    }

    private void absolute(
            String what,
            boolean atMost,
            double limit,
            Predicate<Measurement> of,
            Function<Measurement, double[]> figure) {
        List<Measurement> found = results.of(of);
        double[] rounds = found.size() == 1 ? figure.apply(found.get(0)) : new double[0];
        Figure reached = found.size() == 1 ? Figure.of(rounds) : null;
        goals.add(new Goal(what, atMost, limit, reached, rounds.length));
    }
}
