package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

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
    static final boolean ENABLED = Boolean.getBoolean("loomverbs.trackEvents");
    private static final int FRAMES = 8;

    private record Taken(String thread, List<StackTraceElement> where) {}

    @GuardedBy("this")
    private final Map<CqEvent, Taken> taken = new LinkedHashMap<>();

    private EventTracking() {}

    static @Nullable EventTracking ifEnabled() {
        return ENABLED ? new EventTracking() : null;
    }

    synchronized void taken(CqEvent event) {
        Thread thread = Thread.currentThread();
        taken.put(event, new Taken(nameOf(thread), List.of(thread.getStackTrace())));
    }

    synchronized void acked(CqEvent event) {
        taken.remove(event);
    }

    /** Forgets the oldest, as nobody can tell which ones a count means. */
    synchronized void acked(int n) {
        Iterator<CqEvent> oldest = taken.keySet().iterator();
        for (int i = 0; i < n && oldest.hasNext(); i++) {
            oldest.next();
            oldest.remove();
        }
    }

    synchronized String report() {
        StringJoiner report = new StringJoiner("; ");
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
