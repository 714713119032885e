package io.loomverbs.testkit;

import io.loomverbs.CompletionQueue;
import io.loomverbs.internal.device.ApiObjects;
import io.loomverbs.internal.device.LoadedClasses;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Finds what a test has left open, on any device: contexts, the objects created in them, and events
 * that were received and not acknowledged. A context that the program has dropped without closing
 * it is found until the collector has freed it.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class Leaks {
    static {
        LoadedClasses.besides(Leaks.class);
    }

    private final Set<Object> openBefore = Collections.newSetFromMap(new IdentityHashMap<>());
    private final IdentityHashMap<CompletionQueue, Integer> unackedBefore = new IdentityHashMap<>();

    private Leaks() {
        ApiObjects objects = ApiObjects.get();
        if (objects == null) {
            return; // no context was ever opened
        }
        for (Object context : objects.openContexts()) {
            openBefore.add(context);
            openBefore.addAll(objects.unackedAsyncEvents(context));
            for (Object open : objects.openIn(context)) {
                openBefore.add(open);
                if (open instanceof CompletionQueue cq) {
                    unackedBefore.put(cq, cq.unackedEvents());
                }
            }
        }
    }

    /**
     * Records which objects are open now; these do not count as leaks later.
     *
     * @return an object to ask later
     */
    public static Leaks watch() {
        return new Leaks();
    }

    /**
     * The objects that were opened since {@link #watch} and are open now, and the events that were
     * received since then and are not acknowledged.
     *
     * @return a line for each; empty if there is nothing
     */
    public List<String> found() {
        List<String> found = new ArrayList<>();
        ApiObjects objects = ApiObjects.get();
        if (objects == null) {
            return found;
        }
        for (Object context : objects.openContexts()) {
            String of = " of " + context;
            if (!openBefore.contains(context)) {
                found.add("context " + context + " is open");
            }
            for (Object open : objects.openIn(context)) {
                if (!openBefore.contains(open)) {
                    found.add(open + of + " is open");
                }
                if (open instanceof CompletionQueue cq) {
                    int events = cq.unackedEvents() - unackedBefore.getOrDefault(cq, 0);
                    if (events > 0) {
                        found.add(open + of + " has unacknowledged events: " + events);
                    }
                }
            }
            for (Object event : objects.unackedAsyncEvents(context)) {
                if (!openBefore.contains(event)) {
                    found.add("asynchronous event " + event + of + " is not acknowledged");
                }
            }
        }
        return found;
    }

    /**
     * Fails if something {@linkplain #found was found}.
     *
     * @throws AssertionError naming each object
     */
    public void check() {
        List<String> found = found();
        if (!found.isEmpty()) {
            throw new AssertionError(
                    "left open or unacknowledged:\n  " + String.join("\n  ", found));
        }
    }
}
