package io.loomverbs;

import java.time.Duration;
import java.util.Objects;

/** Writes the results of an observation as text for people. */
final class Dump {
    private static final int DIGITS = 1_000_000;

    private final Observation seen;
    private final StringBuilder text = new StringBuilder();

    private Dump(Observation seen) {
        this.seen = seen;
    }

    static String of(Context context) {
        Observation seen = new Observation(context);
        return new Dump(seen).write(seen.stats());
    }

    private String write(ContextStats stats) {
        line(
                stats.context()
                        + ": "
                        + Wording.count(stats.cqs().size(), "CQ")
                        + ", "
                        + Wording.count(stats.channels().size(), "channel")
                        + ", "
                        + Wording.count(stats.waits().size(), "waiting thread"));
        for (int i = 0; i < stats.channels().size(); i++) {
            write(stats.channels().get(i), seen.openChannels.get(i));
        }
        for (int i = 0; i < stats.cqs().size(); i++) {
            write(stats.cqs().get(i), seen.openCqs.get(i));
        }
        if (!stats.waits().isEmpty()) {
            line("waiting threads:");
            stats.waits().forEach(this::write);
        }
        line(stats.problems().isEmpty() ? "nothing looks wrong" : "what looks wrong:");
        stats.problems().forEach(problem -> line("  " + problem));
        return text.toString();
    }

    private void write(ChannelStats stats, CompletionChannel channel) {
        line("  " + stats.channel() + " (" + Objects.toIdentityString(channel) + ")");
        line(
                "    "
                        + Wording.count(stats.cqs(), "CQ")
                        + ", "
                        + Wording.count(stats.events(), "event")
                        + ", waiters "
                        + stats.waiters()
                        + ", serving threads "
                        + stats.servers());
    }

    private void write(CqStats stats, CompletionQueue cq) {
        String name = stats.name();
        line(
                "  "
                        + stats.cq()
                        + (name == null || stats.cq().endsWith(":" + name) ? "" : " " + name)
                        + (stats.channel() == null ? "" : " on " + stats.channel())
                        + " ("
                        + Objects.toIdentityString(cq)
                        + ")"
                        + (stats.handling() ? ", being handled" : ""));
        line(
                "    "
                        + Wording.count(stats.events(), "event")
                        + ", "
                        + Wording.count(stats.completions(), "completion")
                        + ", "
                        + Wording.count(stats.arms(), "arm")
                        + ", empty wake-ups "
                        + stats.emptyWakeUps()
                        + ", pending "
                        + stats.pendingEvents()
                        + ", unacknowledged "
                        + stats.unackedEvents()
                        + (stats.oldestUnackedNanos() < 0
                                ? ""
                                : ", the oldest for " + time(stats.oldestUnackedNanos()))
                        + ", waiters "
                        + stats.waiters());
    }

    private void write(WaitStats wait) {
        line(
                "  "
                        + (wait.thread().isEmpty() ? "" : "\"" + wait.thread() + "\" ")
                        + "#"
                        + wait.threadId()
                        + (wait.virtual() ? " virtual" : "")
                        + " waits for "
                        + wait.waitsFor()
                        + ", for "
                        + time(wait.nanos()));
    }

    /** In whole milliseconds. */
    private static String time(long nanos) {
        return Wording.seconds(Duration.ofNanos(nanos / DIGITS * DIGITS));
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
