package io.loomverbs.walk;

import io.loomverbs.AsyncEvent;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.QueuePair;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Everything that one walk has made, so that later steps find it and the end closes it. */
final class World {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    /** How many objects of a type later steps choose from. */
    private static final int POOL = 12;

    final String device;
    private final Map<Object, Known> known = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<Class<?>, List<Object>> pools = new ConcurrentHashMap<>();
    final Context first;

    World(String device) {
        this.device = device;
        this.first = Verbs.device(device).open();
        add(first, true);
        add(Verbs.device(device), false);
    }

    /** Has later steps choose it, and the end close it. */
    <T> T add(T object, boolean tame) {
        if (object instanceof AutoCloseable closeable && !known.containsKey(object)) {
            known.put(object, new Known(closeable, tame));
        }
        List<Object> pool =
                pools.computeIfAbsent(object.getClass(), c -> new CopyOnWriteArrayList<>());
        if (tame) {
            return object; // its model offers it
        }
        pool.add(object);
        if (pool.size() > POOL) {
            pool.removeFirst(); // another thread may do so, too
        }
        return object;
    }

    /** Has calls of any kind choose a tame object as well. */
    void offer(Object object) {
        pools.computeIfAbsent(object.getClass(), c -> new CopyOnWriteArrayList<>()).add(object);
    }

    List<Object> all(Class<?> type) {
        List<Object> all = new ArrayList<>();
        pools.forEach(
                (of, pool) -> {
                    if (type.isAssignableFrom(of)) {
                        all.addAll(pool);
                    }
                });
        return all;
    }

    Known known(Object object) {
        return known.get(object);
    }

    @SuppressWarnings("ReferenceEquality") // that very object
    List<Object> openUsersOf(Object object) {
        synchronized (known) {
            return known.values().stream()
                    .filter(k -> k.open && k.uses().stream().anyMatch(object::equals))
                    .map(k -> (Object) k.object)
                    .toList();
        }
    }

    /** Acknowledges the asynchronous events of an object, for which its close would wait. */
    void acknowledgeAsyncEventsOf(Object owner) {
        for (Known k : snapshot()) {
            if (k.object instanceof AsyncEvent event
                    && (event.qp() == owner || event.cq() == owner || event.srq() == owner)) {
                event.close();
                forget(event);
            }
        }
    }

    /** An event that is acknowledged is of no more interest. */
    void forget(AutoCloseable event) {
        known.remove(event);
        List<Object> pool = pools.get(event.getClass());
        if (pool != null) {
            pool.remove(event);
        }
    }

    private List<Known> snapshot() {
        synchronized (known) {
            return new ArrayList<>(known.values());
        }
    }

    /** Closes everything in order; answers what went wrong. */
    List<String> closeAll() throws InterruptedException {
        List<String> problems = new ArrayList<>();
        List<Known> all = snapshot();
        all.sort(Comparator.comparingInt(Known::rank));
        for (Known k : all) {
            try {
                close(k.object);
            } catch (Exception e) {
                if (!k.isEvent()) { // an event may have been acknowledged by count
                    problems.add("at the end, close of " + k.object + ": " + e);
                }
            }
        }
        return problems;
    }

    private void close(AutoCloseable object) throws Exception {
        switch (object) {
            case CompletionQueue cq -> {
                acknowledgeAsyncEventsOf(cq);
                if (cq.unackedEvents() > 0) {
                    cq.ackEvents(cq.unackedEvents());
                }
                cq.close(PATIENCE);
            }
            case SharedReceiveQueue srq -> {
                acknowledgeAsyncEventsOf(srq);
                srq.close();
            }
            case QueuePair qp -> {
                acknowledgeAsyncEventsOf(qp);
                qp.close();
            }
            default -> object.close();
        }
    }

    /** Whether a refusal says that the object is in use. */
    static boolean isBusy(Throwable thrown) {
        return thrown instanceof VerbsException e && e.errnoName().equals("EBUSY");
    }
}
