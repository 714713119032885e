package io.loomverbs.schedule;

import java.lang.invoke.VarHandle;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** What rewritten classes call where {@link Changes} has planted a fault. */
public final class Planted {
    private static final Set<Thread> SKIPPING = Collections.newSetFromMap(new IdentityHashMap<>());

    private Planted() {}

    /** What {@link VarHandle#compareAndExchange} does, but in two steps. */
    public static long compareAndExchange(VarHandle handle, Object object, long old, long next) {
        VarHandle field = handle.withInvokeBehavior();
        long seen = (long) field.getVolatile(object);
        if (seen == old) {
            SchedulePoint.point();
            field.setVolatile(object, next);
        }
        return seen;
    }

    /** What {@link VarHandle#getAndAdd} does, but in two steps. */
    public static long getAndAdd(VarHandle handle, Object object, long difference) {
        VarHandle field = handle.withInvokeBehavior();
        long seen = (long) field.getVolatile(object);
        SchedulePoint.point();
        field.setVolatile(object, seen + difference);
        return seen;
    }

    /** What {@link VarHandle#compareAndSet} does, but in two steps. */
    public static boolean compareAndSet(VarHandle handle, Object object, int old, int next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = (int) field.getVolatile(object) == old;
        if (same) {
            SchedulePoint.point();
            field.setVolatile(object, next);
        }
        return same;
    }

    /** What {@link VarHandle#compareAndSet} does, but in two steps. */
    @SuppressWarnings("ReferenceEquality") // that is how it compares
    public static boolean compareAndSet(VarHandle handle, Object object, Object old, Object next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = field.getVolatile(object) == old;
        if (same) {
            SchedulePoint.point();
            field.setVolatile(object, next);
        }
        return same;
    }

    /** What {@link VarHandle#compareAndSet} does, but in two steps. */
    public static boolean compareAndSet(VarHandle handle, Object object, long old, long next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = (long) field.getVolatile(object) == old;
        if (same) {
            SchedulePoint.point();
            field.setVolatile(object, next);
        }
        return same;
    }

    /** What {@link VarHandle#compareAndSet} does, but without the comparison. */
    public static boolean setAnyway(VarHandle handle, Object object, int old, int next) {
        handle.withInvokeBehavior().setVolatile(object, next);
        return true;
    }

    /** The next {@link #look} of this thread is skipped. */
    public static void skipLook() {
        SKIPPING.add(Thread.currentThread());
    }

    /** What was seen, or, for a look that is skipped, all bits set. */
    public static long look(long seen) {
        return SKIPPING.remove(Thread.currentThread()) ? -1 : seen;
    }
}
