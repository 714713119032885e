package io.loomverbs.tools;

import com.google.errorprone.annotations.FormatMethod;

import io.loomverbs.ContextStats;
import io.loomverbs.CqStats;
import io.loomverbs.WaitStats;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The changes in the CQs of a process between two looks, and what looks wrong. */
final class TopDifference {
    /** A wait of a close is worth a line from here on. */
    private static final double LONG_SECONDS = 1;

    /** The changes of one CQ. */
    record Row(CqStats cq, double events, double completions, double arms) {}

    /** How a CQ was at the last look, and since when it has not changed. */
    private record Seen(CqStats cq, long unchangedSince) {}

    private Map<String, Seen> seen = new HashMap<>();
    private List<ContextStats> contexts = List.of();
    private final List<List<Row>> rows = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    /** Events that nobody takes: on a busy machine those of thousands of CQs, so they come last. */
    private final List<String> unreceived = new ArrayList<>();

    private long looked;

    TopDifference(List<ContextStats> first) {
        look(first, System.nanoTime());
    }

    /** The next look. */
    void next(List<ContextStats> now) {
        look(now, System.nanoTime());
    }

    private void look(List<ContextStats> now, long nanos) {
        double seconds = Math.max(1e-9, (nanos - looked) / 1e9);
        Map<String, Seen> next = new HashMap<>();
        contexts = now;
        rows.clear();
        problems.clear();
        unreceived.clear();
        for (int i = 0; i < now.size(); i++) {
            ContextStats context = now.get(i);
            List<Row> ofContext = new ArrayList<>();
            for (CqStats cq : context.cqs()) {
                String key = i + " " + cq.cq(); // contexts of one device have one name
                Seen before = seen.get(key);
                ofContext.add(row(cq, before == null ? cq : before.cq(), seconds));
                boolean unchanged = before != null && isUnchanged(before.cq(), cq);
                long since = before != null && unchanged ? before.unchangedSince() : nanos;
                next.put(key, new Seen(cq, since));
                if (unchanged) {
                    judge(context, cq, (nanos - since) / 1e9);
                }
            }
            rows.add(ofContext);
            context.waits().forEach(this::judge);
        }
        problems.addAll(unreceived);
        seen = next;
        looked = nanos;
    }

    private static Row row(CqStats cq, CqStats before, double seconds) {
        return new Row(
                cq,
                (cq.events() - before.events()) / seconds,
                (cq.completions() - before.completions()) / seconds,
                (cq.arms() - before.arms()) / seconds);
    }

    /** Whether no thread has used the CQ between two looks. */
    private static boolean isUnchanged(CqStats before, CqStats now) {
        return before.completions() == now.completions()
                && before.arms() == now.arms()
                && before.handling() == now.handling()
                && before.unackedEvents() == now.unackedEvents()
                && before.pendingEvents() == now.pendingEvents();
    }

    private void judge(ContextStats context, CqStats cq, double seconds) {
        if (cq.handling()) {
            problems.add(handler(context, cq, seconds));
        }
        if (cq.unackedEvents() > 0) {
            problem(
                    "%s has %s, for %.1f s",
                    cq.cq(),
                    count(cq.unackedEvents(), "unacknowledged event"),
                    cq.oldestUnackedNanos() < 0 ? seconds : cq.oldestUnackedNanos() / 1e9);
        }
        if (cq.pendingEvents() > 0) {
            unreceived.add(
                    text(
                            "%s has %s that no thread has received, for %.1f s",
                            cq.cq(), count(cq.pendingEvents(), "event"), seconds));
        }
        if (cq.arms() > 0 && cq.events() > 0 && cq.completions() == 0 && !cq.handling()) {
            problem("%s was armed and has raised events, but was never polled", cq.cq());
        }
    }

    /** The process itself knows where the handler is, once it has run for a while. */
    private static String handler(ContextStats context, CqStats cq, double seconds) {
        String handler = "the handler of " + cq.cq();
        return context.problems().stream()
                .filter(problem -> problem.startsWith(handler + " has not returned for "))
                .findFirst()
                .orElseGet(() -> text("%s has not returned for %.1f s", handler, seconds));
    }

    private void judge(WaitStats wait) {
        double seconds = wait.nanos() / 1e9;
        if (wait.waitsFor().startsWith("acknowledgements") && seconds >= LONG_SECONDS) {
            problem("%s has waited for %.1f s for %s", name(wait), seconds, wait.waitsFor());
        }
    }

    /** Such as {@code 1 event} and {@code 2 events}. */
    static String count(long n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }

    @FormatMethod
    private void problem(String format, @Nullable Object... arguments) {
        problems.add(text(format, arguments));
    }

    @FormatMethod
    private static String text(String format, @Nullable Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    static String name(WaitStats wait) {
        return wait.thread().isEmpty()
                ? "thread #" + wait.threadId()
                : "thread \"" + wait.thread() + "\"";
    }

    List<ContextStats> contexts() {
        return contexts;
    }

    /** The changes of the CQs of each context. */
    List<List<Row>> rows() {
        return rows;
    }

    /** The worst come first. */
    List<String> problems() {
        return problems;
    }
}
