package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.Setting;

import org.jspecify.annotations.Nullable;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Where each unacknowledged event of one CQ was received. Costs a stack trace an event, so it is
 * off unless the system property {@code loomverbs.trackEvents} is {@code true}.
 */
final class EventTracking {
    static final boolean ENABLED = Setting.TRACK_EVENTS.isTrue();
    private static final int FRAMES = 8;

    /** The most events kept while some of them were acknowledged by count. */
    private static final int MOST_IN_DOUBT = 16;

    private record Taken(String thread, List<StackTraceElement> where) {}

    @GuardedBy("this")
    private final Map<Object, Taken> taken = new LinkedHashMap<>();

    /** How many of these were acknowledged by count. */
    @GuardedBy("this")
    private int inDoubt;

    /** Whether there were too many of those to keep them all. */
    @GuardedBy("this")
    private boolean forgotten;

    private EventTracking() {}

    static @Nullable EventTracking ifEnabled() {
        return ENABLED ? new EventTracking() : null;
    }

    /**
     * Records where an event was received.
     *
     * @param event its object; any new one if it has none
     */
    synchronized void taken(Object event) {
        Thread thread = Thread.currentThread();
        taken.put(event, new Taken(nameOf(thread), List.of(thread.getStackTrace())));
    }

    synchronized void acked(CqEvent event) {
        counted(taken.remove(event) == null ? 1 : 0);
    }

    /** {@code n} events were acknowledged, and it is unknown which. */
    synchronized void counted(int n) {
        inDoubt += n;
        if (inDoubt >= taken.size()) {
            taken.clear();
            inDoubt = 0;
            forgotten = false;
        }
        Iterator<Object> oldest = taken.keySet().iterator();
        while (inDoubt > 0 && taken.size() > MOST_IN_DOUBT) {
            oldest.next();
            oldest.remove();
            inDoubt--;
            forgotten = true;
        }
    }

    /**
     * Where the unacknowledged events were received; perhaps, if some were acknowledged by count.
     */
    synchronized String report() {
        StringJoiner report = new StringJoiner("; ");
        if (inDoubt > 0 || forgotten) {
            report.add("of these, as some were acknowledged by count");
        }
        for (Taken t : taken.values()) {
            StringJoiner frames = new StringJoiner(" < ");
            int shown = 0;
            for (StackTraceElement frame : t.where()) {
                if (shown < FRAMES && !isOurs(frame)) {
                    frames.add(frame.toString());
                    shown++;
                }
            }
            report.add("taken by " + t.thread() + " at " + frames);
        }
        if (forgotten) {
            report.add("or taken earlier");
        }
        return report.toString();
    }

    private static boolean isOurs(StackTraceElement frame) {
        String name = frame.getClassName();
        return name.equals(Thread.class.getName())
                || name.equals(EventTracking.class.getName())
                || name.equals(CqEvent.class.getName())
                || name.equals(CompletionChannel.class.getName())
                || name.equals(CompletionQueue.class.getName());
    }

    /** The name of a thread, or its number if it has none. */
    static String nameOf(Thread thread) {
        return thread.getName().isEmpty()
                ? "thread #" + thread.threadId()
                : "\"" + thread.getName() + "\"";
    }
}
