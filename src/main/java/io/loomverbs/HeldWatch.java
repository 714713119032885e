package io.loomverbs;

import io.loomverbs.internal.device.Setting;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * Looks for events that stay unacknowledged and handlers that do not return. It reads what is
 * recorded for other reasons, so events and handlers cost nothing extra. For its thread alone.
 */
final class HeldWatch {
    private static final long HELD_NANOS = Setting.HELD_WARNING_MILLIS.number() * 1_000_000L;

    /**
     * Handlers are checked more often than events: one that keeps a carrier holds up other threads.
     */
    static final long LOOK_NANOS = HELD_NANOS / 10;

    private static final Long TOLD = Long.MAX_VALUE;
    private static final int EVENTS_EVERY = 3;

    /** Since when an event is known to be held; {@link #TOLD} once it was reported. */
    private final Map<Object, Long> heldSince = new WeakHashMap<>();

    private final Set<Object> found = Collections.newSetFromMap(new WeakHashMap<>());
    private long lastLook = System.nanoTime();
    private int looks;

    /** In milliseconds, at least 1. */
    long untilNextLook() {
        long left = LOOK_NANOS - (System.nanoTime() - lastLook);
        return Math.clamp(left / 1_000_000, 1, 1_000);
    }

    void look() {
        long now = System.nanoTime();
        if (now - lastLook < LOOK_NANOS) {
            return;
        }
        lastLook = now;
        HandlerCalls.look(now, HELD_NANOS, LOOK_NANOS);
        looks++;
        if (looks % EVENTS_EVERY == 0) {
            lookForEvents(now);
        }
    }

    private void lookForEvents(long now) {
        found.clear();
        for (Context context : OpenObjects.contexts()) {
            for (Object user : context.usage().openUsers()) {
                if (user instanceof CompletionQueue cq) {
                    lookAt(cq, now);
                }
            }
            for (AsyncEvent event : context.asyncEvents().unacked()) {
                Thread holder = event.holder();
                if (holder != null && isHeldTooLong(event, now)) {
                    report(
                            "asynchronous event " + event,
                            "taken by " + Place.nameOf(holder),
                            holder);
                }
            }
        }
        heldSince.keySet().retainAll(found);
    }

    private void lookAt(CompletionQueue cq, long now) {
        CqEvent event = cq.ledger().oldest();
        Thread holder = event == null ? null : event.holder();
        if (event != null && holder != null && isHeldTooLong(event, now)) {
            String taken =
                    EventTracking.ENABLED
                            ? cq.tracking().report()
                            : "taken by " + Place.nameOf(holder);
            report("an event of " + cq, taken, holder);
        }
    }

    private boolean isHeldTooLong(Object event, long now) {
        found.add(event);
        Long since = heldSince.putIfAbsent(event, now);
        if (since == null || since.equals(TOLD) || now - since < HELD_NANOS) {
            return false;
        }
        heldSince.put(event, TOLD);
        return true;
    }

    private static void report(String event, String taken, Thread holder) {
        LeakDetection.report(
                event
                        + " has been unacknowledged for "
                        + Wording.wholeSeconds(HELD_NANOS)
                        + ": "
                        + taken
                        + (holder.isAlive()
                                ? ", which is at " + Place.of(holder).where()
                                : ", which has ended"));
    }
}
