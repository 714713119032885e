package io.loomverbs.tools;

import io.loomverbs.ChannelStats;
import io.loomverbs.ContextStats;
import io.loomverbs.CqStats;
import io.loomverbs.WaitStats;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** A difference as a line of JSON. */
final class TopJson {
    private TopJson() {}

    static String of(TopDifference difference) {
        List<String> contexts = new ArrayList<>();
        for (int i = 0; i < difference.contexts().size(); i++) {
            contexts.add(context(difference.contexts().get(i), difference.rows().get(i)));
        }
        return "{\"contexts\":["
                + String.join(",", contexts)
                + "],\"problems\":"
                + list(difference.problems(), TopJson::text)
                + "}";
    }

    private static String context(ContextStats context, List<TopDifference.Row> rows) {
        return "{\"context\":"
                + text(context.context())
                + ",\"unackedAsyncEvents\":"
                + context.unackedAsyncEvents()
                + ",\"channels\":"
                + list(context.channels(), TopJson::channel)
                + ",\"cqs\":"
                + list(rows, TopJson::cq)
                + ",\"waits\":"
                + list(context.waits(), TopJson::wait)
                + ",\"problems\":"
                + list(context.problems(), TopJson::text)
                + "}";
    }

    private static String channel(ChannelStats c) {
        return String.format(
                Locale.ROOT,
                "{\"channel\":%s,\"cqs\":%d,\"events\":%d,\"waiters\":%d,\"servers\":%d}",
                text(c.channel()),
                c.cqs(),
                c.events(),
                c.waiters(),
                c.servers());
    }

    private static String cq(TopDifference.Row row) {
        CqStats c = row.cq();
        return String.format(
                Locale.ROOT,
                "{\"cq\":%s,\"name\":%s,\"channel\":%s,\"events\":%d,\"completions\":%d,"
                        + "\"arms\":%d,\"emptyWakeUps\":%d,\"pendingEvents\":%d,"
                        + "\"unackedEvents\":%d,\"oldestUnackedNanos\":%d,\"waiters\":%d,"
                        + "\"handling\":%b,\"eventsPerSecond\":%.1f,\"completionsPerSecond\":%.1f,"
                        + "\"armsPerSecond\":%.1f}",
                text(c.cq()),
                text(c.name()),
                text(c.channel()),
                c.events(),
                c.completions(),
                c.arms(),
                c.emptyWakeUps(),
                c.pendingEvents(),
                c.unackedEvents(),
                c.oldestUnackedNanos(),
                c.waiters(),
                c.handling(),
                row.events(),
                row.completions(),
                row.arms());
    }

    private static String wait(WaitStats w) {
        return String.format(
                Locale.ROOT,
                "{\"thread\":%s,\"threadId\":%d,\"virtual\":%b,\"waitsFor\":%s,\"nanos\":%d}",
                text(w.thread()),
                w.threadId(),
                w.virtual(),
                text(w.waitsFor()),
                w.nanos());
    }

    private static <T> String list(List<T> all, Function<T, String> each) {
        return "[" + String.join(",", all.stream().map(each).toList()) + "]";
    }

    /** A string of JSON, or null. */
    static String text(@Nullable String value) {
        if (value == null) {
            return "null";
        }
        StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ') {
                text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        return text.append('"').toString();
    }
}
