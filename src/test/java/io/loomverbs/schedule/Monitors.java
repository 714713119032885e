package io.loomverbs.schedule;

import java.util.IdentityHashMap;

/**
 * What the rewritten classes use for {@code synchronized}. A virtual thread that finds a real
 * monitor taken is woken by a thread of the JVM, at a time that no seed decides; so there are locks
 * instead, found by the object.
 */
public final class Monitors {
    private static final IdentityHashMap<Object, ScheduledLock> LOCKS = new IdentityHashMap<>();

    private Monitors() {}

    /** For {@code monitorenter}. */
    public static void enter(Object object) {
        LOCKS.computeIfAbsent(object, _ -> new ScheduledLock()).lock();
    }

    /** For {@code monitorexit}. */
    public static void exit(Object object) {
        LOCKS.get(object).unlock();
    }

    static void forgetAll() {
        LOCKS.clear();
    }
}
