package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.Setting;

import org.jspecify.annotations.Nullable;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Where each unacknowledged event of one CQ was received. Costs a stack trace an event, so it is
 * off unless the system property {@code loomverbs.trackEvents} is {@code true}, or {@code
 * loomverbs.leakDetection} is {@code full}.
 */
final class EventTracking {
    static final boolean ENABLED =
            Setting.TRACK_EVENTS.isTrue() || LeakDetection.LEVEL == LeakDetection.Level.FULL;

    /** The most events kept while some of them were acknowledged by count. */
    private static final int MOST_IN_DOUBT = 16;

    private record Taken(Place place, long at) {}

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
        taken.put(event, new Taken(Place.here(), System.nanoTime()));
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

    /** How long ago the oldest event was received that may be unacknowledged; -1 if none is. */
    synchronized long oldestNanos() {
        Iterator<Taken> oldest = taken.values().iterator();
        return oldest.hasNext() ? System.nanoTime() - oldest.next().at() : -1;
    }

    /**
     * Where the unacknowledged events were received; perhaps, if some were acknowledged by count.
     */
    synchronized String report() {
        StringJoiner report = new StringJoiner("; ");
        if (inDoubt > 0 || forgotten) {
            report.add("of these, as some were acknowledged by count");
        }
        taken.values().forEach(t -> report.add("taken by " + t.place()));
        if (forgotten) {
            report.add("or taken earlier");
        }
        return report.toString();
    }
}
