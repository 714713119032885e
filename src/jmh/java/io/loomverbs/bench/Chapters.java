package io.loomverbs.bench;

import io.loomverbs.bench.Panel.Kind;
import io.loomverbs.bench.Panel.Role;
import io.loomverbs.bench.Panel.Row;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** What belongs side by side, and what a reader has to know of it. */
final class Chapters {
    private static final List<Double> PERCENTILES = List.of(50.0, 90.0, 99.0, 99.9);
    private static final List<String> CQS = List.of("1", "100", "1,000", "10,000", "100,000");
    private static final double P999 = 99.9;
    private static final double NANOS_A_MICRO = 1000;

    private static final Map<String, Row> ACK =
            rows(
                    "ackEvents",
                    "ackEvents",
                    Role.OURS,
                    "ledger",
                    "its ledger alone",
                    Role.OURS,
                    "getAndAdd",
                    "getAndAdd (limit)",
                    Role.LIMIT,
                    "compareAndSet",
                    "read + compareAndSet",
                    Role.LIMIT,
                    "lockAndCondition",
                    "lock + condition, Java",
                    Role.PEER,
                    "ibvAckCqEvents",
                    "ibv_ack_cq_events, C",
                    Role.PEER);
    private static final Map<String, Row> WAKE =
            rows(
                    "direct",
                    "direct delivery",
                    Role.OURS,
                    "channel",
                    "channel",
                    Role.OURS,
                    "unpark",
                    "bare unpark (limit)",
                    Role.LIMIT,
                    "linkedTransferQueue",
                    "LinkedTransferQueue",
                    Role.PEER,
                    "dispatcher",
                    "dispatcher thread",
                    Role.PEER,
                    "readInJava",
                    "thread in read(2), Java",
                    Role.PEER,
                    "readInC",
                    "thread in read(2), C",
                    Role.PEER);
    private static final Map<String, Row> WAKE_FD =
            rows(
                    "fdChannel",
                    "channel",
                    Role.OURS,
                    "fdDirect",
                    "direct delivery",
                    Role.OURS,
                    "fdPlatformThread",
                    "channel, platform thread",
                    Role.OURS,
                    "fdPollerThread",
                    "channel, poller thread",
                    Role.OURS,
                    "readInC",
                    "thread in read(2), C (limit)",
                    Role.LIMIT,
                    "epollInC",
                    "epoll_wait(2), then read(2), C",
                    Role.LIMIT,
                    "readInJava",
                    "thread in read(2), Java",
                    Role.PEER,
                    "fdJdkPipe",
                    "JDK pipe, virtual thread",
                    Role.PEER);
    private static final Map<String, Row> FDS =
            rows(
                    "channelEach",
                    "a channel each",
                    Role.OURS,
                    "pollerThread",
                    "a channel each, poller thread",
                    Role.OURS,
                    "oneChannel",
                    "one channel",
                    Role.OURS,
                    "direct",
                    "direct delivery",
                    Role.OURS,
                    "inlineEpoll",
                    "inline epoll loop (limit)",
                    Role.LIMIT,
                    "threadEach",
                    "thread in read(2) each",
                    Role.PEER,
                    "oneShot",
                    "ONESHOT, virtual thread each",
                    Role.PEER,
                    "jdkPipe",
                    "JDK pipe, virtual thread each",
                    Role.PEER);
    private static final Map<String, Row> EVENTS =
            rows(
                    "direct",
                    "direct delivery",
                    Role.OURS,
                    "oneChannel",
                    "one channel",
                    Role.OURS,
                    "sixteenChannels",
                    "16 channels",
                    Role.OURS,
                    "channelEach",
                    "a channel each",
                    Role.OURS,
                    "inlineDispatcher",
                    "inline dispatcher (limit)",
                    Role.LIMIT,
                    "unparkEach",
                    "bare unpark each",
                    Role.LIMIT,
                    "pool64",
                    "pool of 64 threads",
                    Role.PEER,
                    "pool4",
                    "pool of 4 threads",
                    Role.PEER,
                    "queueEach",
                    "LinkedBlockingQueue each",
                    Role.PEER,
                    "threadEach",
                    "platform thread each",
                    Role.PEER);
    private static final Map<String, Row> VERBS =
            rows(
                    "sendRecv",
                    "SEND / RECV",
                    Role.OURS,
                    "write",
                    "RDMA WRITE",
                    Role.OURS,
                    "read",
                    "RDMA READ",
                    Role.OURS,
                    "copy",
                    "memory copy (limit)",
                    Role.LIMIT,
                    "agronaRing",
                    "Agrona ring",
                    Role.PEER);
    private static final Map<String, Row> CLOSE =
            rows(
                    "close",
                    "close",
                    Role.OURS,
                    "lockAndCondition",
                    "lock + condition, Java",
                    Role.PEER,
                    "createAndClose",
                    "create + close",
                    Role.OURS);
    private static final Map<String, Row> MEMORY =
            rows(
                    "servedCq",
                    "CQ with its handler",
                    Role.OURS,
                    "cq",
                    "CQ alone",
                    Role.OURS,
                    "parkedThread",
                    "parked virtual thread (limit)",
                    Role.LIMIT,
                    "queueEach",
                    "LinkedBlockingQueue, virtual",
                    Role.PEER,
                    "threadEach",
                    "platform thread",
                    Role.PEER);

    private final Results results;

    Chapters(Results results) {
        this.results = results;
    }

    /** Those that have figures, in the order of the sets. */
    List<Chapter> all() {
        List<Chapter> chapters = new ArrayList<>();
        for (BenchmarkSet set : BenchmarkSet.ALL) {
            Chapter chapter =
                    switch (set.name()) {
                        case "ack" -> ack(set);
                        case "wake" -> wake(set);
                        case "events" -> events(set);
                        case "fds" -> fds(set);
                        case "verbs" -> verbs(set);
                        case "steps" -> steps(set);
                        case "close" -> close(set);
                        case "watch" -> watch(set);
                        case "memory" -> memory(set);
                        default -> throw new IllegalStateException("no chapter for " + set);
                    };
            if (!chapter.panels().isEmpty()) {
                chapters.add(chapter);
            }
        }
        return chapters;
    }

    private static Map<String, Row> rows(Object... triples) {
        Map<String, Row> rows = new LinkedHashMap<>();
        for (int i = 0; i < triples.length; i += 3) {
            rows.put((String) triples[i], new Row((String) triples[i + 1], (Role) triples[i + 2]));
        }
        return rows;
    }

    private static Chapter chapter(BenchmarkSet set, String title, String text, Panel... panels) {
        List<Panel> filled = new ArrayList<>();
        for (Panel panel : panels) {
            if (!panel.isEmpty()) {
                filled.add(panel);
            }
        }
        return new Chapter(set, title, text, filled);
    }

    private List<Measurement> of(BenchmarkSet set, Predicate<Measurement> which) {
        return results.of(m -> m.benchmark().startsWith(set.benchmarks() + ".") && which.test(m));
    }

    private static String count(String number) {
        return String.format(Locale.ROOT, "%,d", Long.parseLong(number));
    }

    private Chapter ack(BenchmarkSet set) {
        Panel[] panels = new Panel[2];
        for (int i = 0; i < 2; i++) {
            boolean own = i == 0;
            panels[i] =
                    new Panel(
                            own ? "ack-own" : "ack-shared",
                            own ? "Each thread on its own CQ" : "All threads on one CQ",
                            "threads",
                            "ns",
                            Kind.BARS);
            for (Map.Entry<String, Row> row : ACK.entrySet()) {
                for (Measurement m :
                        of(
                                set,
                                m ->
                                        m.method().equals(row.getKey())
                                                && m.param("of").equals(own ? "own" : "shared"))) {
                    panels[i].put(
                            row.getValue(),
                            m.threads() + (m.threads() == 1 ? " thread" : " threads"),
                            Figure.of(m.scores()));
                }
            }
        }
        return chapter(
                set,
                "Acknowledging an event",
                "ns for one acknowledgement, on a CQ with plenty outstanding; more threads than"
                        + " CPUs take turns. The limit is an atomic addition that checks nothing;"
                        + " what has to refuse one too many must look first.",
                panels);
    }

    private Chapter wake(BenchmarkSet set) {
        Panel[] panels = new Panel[6];
        for (int i = 0; i < 4; i++) {
            String after = i % 2 == 0 ? "hot" : "idle";
            boolean fd = i >= 2;
            panels[i] =
                    new Panel(
                            (fd ? "wake-fd-" : "wake-") + after,
                            (fd ? "Through a pipe" : "In memory")
                                    + (i % 2 == 0
                                            ? ", hot: raised again as soon as the handler waits"
                                            : ", after 1 ms of silence"),
                            "percentile",
                            "us",
                            Kind.LINES);
            for (Map.Entry<String, Row> row : (fd ? WAKE_FD : WAKE).entrySet()) {
                for (Measurement m :
                        of(
                                set,
                                m ->
                                        m.method().equals(row.getKey())
                                                && m.param("after").equals(after)
                                                && (m.param("cqs").isEmpty()
                                                        || m.param("cqs").equals("1")))) {
                    for (double p : PERCENTILES) {
                        panels[i].put(
                                row.getValue(),
                                "p" + Figure.digits(p).replaceAll("\\.0+$", ""),
                                Figure.of(m.percentiles(p)).times(1 / NANOS_A_MICRO));
                    }
                }
            }
        }
        for (double p : List.of(Measurement.MEDIAN, P999)) {
            boolean tail = p == P999;
            Panel panel =
                    new Panel(
                            tail ? "wake-many-tail" : "wake-many",
                            "Hot, one of many handlers at random: " + (tail ? "p99.9" : "p50"),
                            "CQs",
                            "us",
                            Kind.LINES);
            for (String method : List.of("direct", "unpark")) {
                for (Measurement m :
                        of(set, m -> m.method().equals(method) && m.param("after").equals("hot"))) {
                    panel.put(
                            WAKE.get(method),
                            count(m.param("cqs")),
                            Figure.of(m.percentiles(p)).times(1 / NANOS_A_MICRO));
                }
            }
            panels[tail ? 5 : 4] = panel;
        }
        return chapter(
                set,
                "From event to handler",
                "us from raising an event, on a platform thread, to the handler's first act, which"
                        + " the raiser spins for. Where a thread blocks in read(2), the event is 8"
                        + " bytes in a pipe.",
                panels);
    }

    private Chapter events(BenchmarkSet set) {
        List<Panel> panels = new ArrayList<>();
        for (String work : List.of("none", "block1ms")) {
            boolean blocks = work.equals("block1ms");
            Panel throughput =
                    new Panel(
                                    blocks ? "events-blocking" : "events",
                                    blocks ? "Handlers block for 1 ms" : "Handlers never block",
                                    "CQs",
                                    "million/s",
                                    Kind.LINES)
                            .columns(CQS);
            for (Map.Entry<String, Row> row : EVENTS.entrySet()) {
                for (Measurement m :
                        of(
                                set,
                                m ->
                                        m.param("by").equals(row.getKey())
                                                && m.param("work").equals(work))) {
                    throughput.put(
                            row.getValue(),
                            count(m.param("cqs")),
                            Figure.of(m.scores()).times(1e-6));
                }
            }
            panels.add(throughput);
        }
        Panel bytes =
                new Panel(
                                "events-bytes",
                                "Allocated for an event, where handlers never block",
                                "CQs",
                                "bytes",
                                Kind.TABLE)
                        .columns(CQS);
        for (Map.Entry<String, Row> row : EVENTS.entrySet()) {
            for (Measurement m :
                    of(
                            set,
                            m ->
                                    m.param("by").equals(row.getKey())
                                            && m.param("work").equals("none"))) {
                // Beside nothing there are no ratios.
                bytes.put(
                        new Row(row.getValue().label(), Role.PEER),
                        count(m.param("cqs")),
                        Figure.of(m.other(Measurement.ALLOCATED)));
            }
        }
        panels.add(bytes);
        return chapter(
                set,
                "Events a second",
                "One platform thread raises, at most 1,024 events (and one a CQ) are under way, a"
                    + " handler does one volatile write. The inline dispatcher calls handlers on"
                    + " its own thread, where none may block: it switches no thread for an event,"
                    + " and that is the distance; a bare unpark of a virtual thread for each is the"
                    + " limit of those that do. Nor does a pool whose queue is never empty; but no"
                    + " more than 64 of its handlers can block at once.",
                panels.toArray(Panel[]::new));
    }

    private Chapter fds(BenchmarkSet set) {
        Panel panel =
                new Panel("fds", "Through pipes and epoll", "CQs", "million/s", Kind.LINES)
                        .columns(List.of("1", "16", "100", "1,000"));
        for (Map.Entry<String, Row> row : FDS.entrySet()) {
            for (Measurement m : of(set, m -> m.param("by").equals(row.getKey()))) {
                panel.put(row.getValue(), count(m.param("cqs")), Figure.of(m.scores()).times(1e-6));
            }
        }
        return chapter(
                set,
                "Events a second through file descriptors",
                "As above, but an event is 8 bytes in a pipe, which the raiser writes: a system"
                        + " call that all pay. Ours read it with ibv_get_cq_event of the real"
                        + " libibverbs. The inline loop calls handlers on the thread that waits in"
                        + " epoll, where none may block.",
                panel);
    }

    private Chapter verbs(BenchmarkSet set) {
        List<Panel> panels = new ArrayList<>();
        for (String batch : List.of("1", "16")) {
            Panel panel =
                    new Panel(
                            "verbs-" + batch,
                            batch.equals("1") ? "One at a time" : "In batches of " + batch,
                            "bytes",
                            "ns a message",
                            Kind.BARS);
            for (Map.Entry<String, Row> row : VERBS.entrySet()) {
                for (Measurement m :
                        of(
                                set,
                                m ->
                                        m.method().equals(row.getKey())
                                                && m.param("batch").equals(batch))) {
                    panel.put(
                            row.getValue(),
                            count(m.param("size")),
                            Figure.of(m.scores()).times(1.0 / Integer.parseInt(batch)));
                }
            }
            panels.add(panel);
        }
        return chapter(
                set,
                "Posting and polling on soft0",
                "ns for one message, posted and polled on one thread. Agrona's ring has no queue"
                        + " pairs, keys, order of completions or events, and copies twice.",
                panels.toArray(Panel[]::new));
    }

    private Chapter steps(BenchmarkSet set) {
        Panel panel = new Panel("steps", "Each step", "", "ns, bytes", Kind.TABLE);
        for (Measurement m : of(set, m -> true)) {
            Row row = new Row(m.method(), Role.OURS);
            panel.put(row, "ns", Figure.of(m.scores()));
            panel.put(row, "bytes allocated", Figure.of(m.other(Measurement.ALLOCATED)));
        }
        return chapter(set, "Step by step", "On soft0, each step alone.", panel);
    }

    private Chapter close(BenchmarkSet set) {
        Panel panel =
                new Panel(
                        "close",
                        "Closing while a thread acknowledges one by one",
                        "events outstanding",
                        "us",
                        Kind.BARS);
        for (Map.Entry<String, Row> row : CLOSE.entrySet()) {
            for (Measurement m : of(set, m -> m.method().equals(row.getKey()))) {
                panel.put(
                        row.getValue(),
                        m.param("events").isEmpty() ? "0" : count(m.param("events")),
                        Figure.of(m.scores()).times(1 / NANOS_A_MICRO));
            }
        }
        return chapter(
                set,
                "Closing",
                "Medians, from the call to the return, the acknowledgements included. Beside it the"
                        + " mutex, condition and counters of libibverbs, in Java.",
                panel);
    }

    private Chapter watch(BenchmarkSet set) {
        Panel panel = new Panel("watch", "Each step", "", "ns, bytes", Kind.TABLE);
        for (Measurement m : of(set, m -> true)) {
            String with = String.join(", ", m.params().values());
            Row row = new Row(m.method() + (with.isEmpty() ? "" : " (" + with + ")"), Role.OURS);
            panel.put(row, "ns", Figure.of(m.scores()));
            panel.put(row, "bytes allocated", Figure.of(m.other(Measurement.ALLOCATED)));
        }
        return chapter(
                set,
                "Being looked into",
                "wake and arm with Flight Recorder off, in a JVM without its module, and with each"
                        + " wait and arm recorded; create and close, and an event from raising to"
                        + " acknowledging, by the level of leak detection; stats() by the CQs.",
                panel);
    }

    private Chapter memory(BenchmarkSet set) {
        Panel panel = new Panel("memory", "One that waits", "", "bytes", Kind.BARS);
        for (Map.Entry<String, Row> row : MEMORY.entrySet()) {
            for (Measurement m : of(set, m -> m.method().equals(row.getKey()))) {
                panel.put(row.getValue(), "heap", Figure.of(m.other("heapBytesEach")));
                if (m.method().equals("threadEach")) {
                    panel.put(row.getValue(), "process", Figure.of(m.other("processBytesEach")));
                }
            }
        }
        return chapter(
                set,
                "Memory",
                "Bytes for each of 20,000 (2,000 platform threads) that have all run once. All of a"
                    + " virtual thread is on the heap; of a platform thread most is outside: its"
                    + " stack, as far as it was touched, in what the process holds.",
                panel);
    }
}
