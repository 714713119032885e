package io.loomverbs.tools;

import com.google.errorprone.annotations.FormatMethod;

import io.loomverbs.ChannelStats;
import io.loomverbs.ContextStats;
import io.loomverbs.WaitStats;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * A difference as a page of text of 80 columns, names that are not long given: the busiest CQs and
 * the longest waits in front.
 */
final class TopText {
    private static final int MOST_ROWS = 20;

    private final StringBuilder text = new StringBuilder();

    private TopText() {}

    static String of(long pid, TopDifference difference) {
        TopText page = new TopText();
        List<ContextStats> contexts = difference.contexts();
        page.line("process %d: %s", pid, TopDifference.count(contexts.size(), "open context"));
        for (int i = 0; i < contexts.size(); i++) {
            page.context(contexts.get(i), difference.rows().get(i));
        }
        page.line("");
        List<String> problems = difference.problems();
        page.line(problems.isEmpty() ? "nothing looks wrong" : "what looks wrong:");
        List<String> worst = page.first(problems);
        worst.forEach(problem -> page.line("  %s", problem));
        page.more(problems.size() - worst.size());
        return page.text.toString();
    }

    private void context(ContextStats context, List<TopDifference.Row> rows) {
        line("");
        line(
                "%s: %s, %s, %s",
                context.context(),
                TopDifference.count(context.cqs().size(), "CQ"),
                TopDifference.count(context.channels().size(), "channel"),
                TopDifference.count(context.waits().size(), "waiting thread"));
        if (!context.channels().isEmpty()) {
            line("  %-21s %6s %12s %8s %8s", "CHANNEL", "CQS", "EVENTS", "WAITERS", "SERVERS");
        }
        for (ChannelStats c : first(context.channels())) {
            line(
                    "  %-21s %6d %12d %8d %8d",
                    c.channel(), c.cqs(), c.events(), c.waiters(), c.servers());
        }
        if (!rows.isEmpty()) {
            line(
                    "  %-21s %8s %8s %8s %7s %7s %7s",
                    "CQ", "EVENTS/S", "COMPL/S", "ARMS/S", "PENDING", "UNACKED", "WAITERS");
        }
        List<TopDifference.Row> busiest =
                rows.stream()
                        .sorted(Comparator.comparingDouble(row -> -row.completions()))
                        .toList();
        for (TopDifference.Row row : first(busiest)) {
            line(
                    "  %-21s %8.0f %8.0f %8.0f %7d %7d %7d %s",
                    row.cq().cq(),
                    row.events(),
                    row.completions(),
                    row.arms(),
                    row.cq().pendingEvents(),
                    row.cq().unackedEvents(),
                    row.cq().waiters(),
                    row.cq().handling() ? "busy" : "");
        }
        List<WaitStats> longest =
                context.waits().stream()
                        .sorted(Comparator.comparingLong(wait -> -wait.nanos()))
                        .toList();
        for (WaitStats wait : first(longest)) {
            line(
                    "  %s waits for %s, for %.1f s",
                    TopDifference.name(wait), wait.waitsFor(), wait.nanos() / 1e9);
        }
    }

    /** Says how many are not shown. */
    private void more(int count) {
        if (count > 0) {
            line("  and %d more", count);
        }
    }

    private <T> List<T> first(List<T> all) {
        return all.subList(0, Math.min(MOST_ROWS, all.size()));
    }

    @FormatMethod
    private void line(String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments).stripTrailing()).append('\n');
    }
}
