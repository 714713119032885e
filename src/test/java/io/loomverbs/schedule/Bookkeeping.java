package io.loomverbs.schedule;

import static java.util.Map.entry;

import java.lang.reflect.Field;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What must hold of the counters and links of the core and of soft0 whenever no thread is at work,
 * whatever has happened before. By reflection: it looks at what no caller can see.
 */
@SuppressWarnings("ReferenceEquality") // links are compared, not values
final class Bookkeeping {
    private static final long CLOSING = 1;
    private static final long CLOSED = 2;
    private static final int MOST_PASSED = 16;

    private static final Map<String, Field> FIELDS = new HashMap<>();

    /** What is checked of an object of a class, and of those that extend it. */
    private static final Map<String, Consumer<Object>> CHECKS =
            Map.ofEntries(
                    entry("internal.event.Ledger", Bookkeeping::ledger),
                    entry("internal.event.QueuedCq", Bookkeeping::cq),
                    entry("CqDelivery", Bookkeeping::holders),
                    entry("internal.event.EventQueue", Bookkeeping::queue),
                    entry("internal.event.WakeChain", Bookkeeping::wakeChain),
                    entry("internal.event.AsyncQueue", Bookkeeping::asyncQueue),
                    entry("internal.event.CallGate", Bookkeeping::gate),
                    entry("internal.event.Leadership", Bookkeeping::leadership),
                    entry("internal.event.Turns", Bookkeeping::turns),
                    entry("Lifecycle", Bookkeeping::usage),
                    entry("internal.soft.SendQueue", Bookkeeping::sendQueue),
                    entry("internal.soft.SlotRing", Bookkeeping::slotRing),
                    entry("internal.soft.CqRing", Bookkeeping::cqRing),
                    entry("internal.soft.RefCount", Bookkeeping::users),
                    entry("internal.soft.IdTable", Bookkeeping::idTable));

    static { // so that a class that is renamed is not left out
        CHECKS.keySet().forEach(Bookkeeping::mustExist);
    }

    private Bookkeeping() {}

    private static void mustExist(String name) {
        try {
            Class.forName("io.loomverbs." + name, false, Bookkeeping.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError("Bookkeeping knows a class that is gone: " + name, e);
        }
    }

    static boolean knows(String className) {
        return CHECKS.containsKey(className.replace("io.loomverbs.", ""));
    }

    /** Checks each of those that it knows. */
    static void check(Collection<?> objects) {
        for (Object object : objects) {
            for (Class<?> c = object.getClass(); c != null; c = c.getSuperclass()) {
                Consumer<Object> check = CHECKS.get(c.getName().replace("io.loomverbs.", ""));
                if (check != null) {
                    check.accept(object);
                }
            }
        }
    }

    private static void leadership(Object leadership) {
        require(leadership, isNull(leadership, "leader"), "leader");
    }

    private static void turns(Object turns) {
        require(turns, isNull(turns, "first") && isNull(turns, "last"), "list");
        require(turns, number(turns, "listed") == 0, "listed");
        require(turns, number(turns, "envoys") == 0, "envoys");
        require(turns, !isTrue(turns, "gateClosed"), "gate");
    }

    private static void users(Object users) {
        require(users, number(users, "count") >= -1, "count");
    }

    private static void gate(Object gate) {
        long uses = number(gate, "uses");
        require(gate, uses == 0 || uses == Integer.MIN_VALUE + (1 << 30), "uses");
        require(gate, isNull(gate, "destroyer"), "destroyer");
        require(gate, isNull(gate, "waiting"), "waiting");
    }

    private static void ledger(Object ledger) {
        long word = number(ledger, "word");
        int completion = (int) (word >> 32);
        int async = (int) word >>> 14;
        require(ledger, (word & CLOSING) == 0, "closing");
        require(ledger, completion >= 0, "count");
        require(ledger, (word & CLOSED) == 0 || (completion == 0 && async == 0), "closed count");
        require(ledger, number(ledger, "abandoned") == 0, "abandoned");
        for (Object p = get(ledger, "parked"); p != null; p = get(p, "next")) {
            require(ledger, isNull(p, "thread"), "parked");
        }
    }

    private static void cq(Object cq) {
        boolean closed = (number(cq, "word") & CLOSED) != 0;
        long pending = number(cq, "pending");
        Object queue = get(cq, "queue");
        boolean listed = isTrue(cq, "listed");
        boolean inInbox = isTrue(cq, "inInbox");
        require(cq, listed == listed(queue).contains(cq), "listed");
        require(cq, inInbox == inbox(queue).contains(cq), "in the inbox");
        require(cq, listed || (isNull(cq, "previous") && isNull(cq, "next")), "links");
        require(cq, inInbox || isNull(cq, "below"), "below");
        require(cq, listed == pending > 0 && pending >= 0, "pending");
        require(cq, !closed || (!listed && !inInbox), "closed");
    }

    private static void holders(Object ledger) {
        Object top = get(ledger, "top");
        int live = 0;
        for (Object e = top; e != null; e = get(e, "next")) {
            require(ledger, get(e, "ledger") == ledger, "events");
            live += isTrue(e, "counted") || isNull(e, "taker") ? 0 : 1;
        }
        boolean sure = top != null && number(top, "doubts") == number(ledger, "doubts");
        require(ledger, !sure || live >= (int) (number(ledger, "word") >> 32), "holders");
    }

    private static void queue(Object queue) {
        require(queue, isNull(queue, "firstWaiter"), "firstWaiter");
        require(queue, isNull(queue, "lastWaiter"), "lastWaiter");
        require(queue, number(queue, "platformWaiters") == 0, "platformWaiters");
        Object before = null;
        for (Object cq : listed(queue)) {
            require(queue, get(cq, "previous") == before, "links of the list");
            require(queue, isTrue(cq, "listed"), "listed");
            before = cq;
        }
        require(queue, get(queue, "lastListed") == before, "lastListed");
    }

    private static void wakeChain(Object chain) {
        require(chain, number(chain, "onTheirWay") == 0, "onTheirWay");
        long passed = number(chain, "passed");
        require(chain, passed >= 0 && passed <= MOST_PASSED, "passed");
    }

    private static Set<Object> listed(Object queue) {
        return chain(queue, "firstListed", "next");
    }

    private static Set<Object> inbox(Object queue) {
        Object inbox = get(queue, "inbox");
        return inbox == null ? Set.of() : chain(inbox, "top", "below");
    }

    private static Set<Object> chain(Object owner, String first, String next) {
        Set<Object> chain = new LinkedHashSet<>();
        for (Object link = get(owner, first); link != null; link = get(link, next)) {
            require(owner, chain.add(link), first + ", a ring");
        }
        return chain;
    }

    private static void asyncQueue(Object queue) {
        require(queue, ((Collection<?>) get(queue, "waiters")).isEmpty(), "waiters");
        Map<?, ?> raised = (Map<?, ?>) get(queue, "raised");
        int owned = 0;
        for (Object event : raised.values()) {
            Object ledger = get(event, "ledger");
            require(queue, ledger == null || (number(ledger, "word") & CLOSED) == 0, "raised");
            owned += isNull(event, "owner") ? 0 : 1;
        }
        int keys = 0;
        for (Object ofOne : ((Map<?, ?>) get(queue, "byOwner")).values()) {
            require(queue, !((Collection<?>) ofOne).isEmpty(), "an owner of nothing");
            keys += ((Collection<?>) ofOne).size();
        }
        require(queue, keys == owned, "keys by owner");
    }

    private static void usage(Object usage) {
        long users = number(usage, "users");
        require(usage, users >= -1, "users");
        require(usage, isNull(usage, "waiting"), "waiting");
        Object named = get(usage, "named");
        int names = named == null ? 0 : ((Collection<?>) named).size();
        require(usage, names <= Math.max(users, 0) && (names > 0) == users > 0, "names");
    }

    private static void sendQueue(Object queue) {
        require(queue, number(queue, "turn") == 0, "turn");
        Object after = get(queue, "after");
        require(queue, after == null || isNull(after, "firstFired"), "after");
    }

    private static void slotRing(Object ring) {
        long used = (int) (number(ring, "tail") - number(ring, "head"));
        require(ring, used >= 0 && used <= number(ring, "limit"), "slots");
    }

    private static void cqRing(Object ring) {
        long size = number(ring, "size");
        require(ring, size >= 0 && 4 * size <= ((long[]) get(ring, "words")).length, "size");
    }

    private static void idTable(Object table) {
        int entries = 0;
        for (Object chunk : (Object[]) get(table, "chunks")) {
            for (int i = 0; chunk != null && i < ((Object[]) chunk).length; i++) {
                entries += ((Object[]) chunk)[i] == null ? 0 : 1;
            }
        }
        require(table, number(table, "live") == entries, "live");
        require(
                table,
                number(table, "nextIndex") == 8 + entries + number(table, "freeCount"),
                "freeCount");
    }

    private static void require(Object object, boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(
                    "no thread is at work, and wrong in "
                            + object.getClass().getSimpleName()
                            + ": "
                            + what);
        }
    }

    private static boolean isNull(Object object, String field) {
        return get(object, field) == null;
    }

    private static boolean isTrue(Object object, String field) {
        return (Boolean) get(object, field);
    }

    private static long number(Object object, String field) {
        return ((Number) get(object, field)).longValue();
    }

    private static Object get(Object object, String field) {
        try {
            return field(object.getClass(), field).get(object);
        } catch (IllegalAccessException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static Field field(Class<?> type, String name) {
        return FIELDS.computeIfAbsent(type.getName() + "." + name, _ -> find(type, name));
    }

    private static Field find(Class<?> type, String name) {
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    field.setAccessible(true);
                    return field;
                }
            }
        }
        throw new AssertionError(type + " has no field " + name);
    }
}
