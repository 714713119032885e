package io.loomverbs.fault;

import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** What changed classes call where {@link Changes} has planted a fault. */
public final class Planted {
    private static final Set<Thread> SKIPPING = ConcurrentHashMap.newKeySet();
    private static final int MOST_SPINS = 4096;

    private static volatile Runnable pause = Planted::spin;

    private Planted() {}

    /** Lets another thread come between two steps. */
    public static void pause() {
        pause.run();
    }

    /** From here on {@link #pause} does this, instead of wasting some time. */
    public static void pauseWith(Runnable newPause) {
        pause = newPause;
    }

    /** Often shortly, seldom for long: what is to come between may be near or far. */
    @SuppressWarnings("ThreadPriorityCheck") // what is to come between may want this carrier
    private static void spin() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        if (random.nextBoolean()) {
            Thread.yield();
        }
        for (int i = random.nextInt(1, MOST_SPINS) >>> random.nextInt(12); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    // *** What VarHandles and atomics do, but in two steps ***

    public static long compareAndExchange(VarHandle handle, Object object, long old, long next) {
        VarHandle field = handle.withInvokeBehavior();
        long seen = (long) field.getVolatile(object);
        if (seen == old) {
            pause();
            field.setVolatile(object, next);
        }
        return seen;
    }

    public static boolean compareAndSet(VarHandle handle, Object object, int old, int next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = (int) field.getVolatile(object) == old;
        if (same) {
            pause();
            field.setVolatile(object, next);
        }
        return same;
    }

    public static boolean compareAndSet(VarHandle handle, Object object, long old, long next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = (long) field.getVolatile(object) == old;
        if (same) {
            pause();
            field.setVolatile(object, next);
        }
        return same;
    }

    @SuppressWarnings("ReferenceEquality") // that is how it compares
    public static boolean compareAndSet(VarHandle handle, Object object, Object old, Object next) {
        VarHandle field = handle.withInvokeBehavior();
        boolean same = field.getVolatile(object) == old;
        if (same) {
            pause();
            field.setVolatile(object, next);
        }
        return same;
    }

    public static boolean compareAndSet(AtomicInteger value, int old, int next) {
        boolean same = value.get() == old;
        if (same) {
            pause();
            value.set(next);
        }
        return same;
    }

    public static long getAndAdd(VarHandle handle, Object object, long difference) {
        VarHandle field = handle.withInvokeBehavior();
        long seen = (long) field.getVolatile(object);
        pause();
        field.setVolatile(object, seen + difference);
        return seen;
    }

    public static int getAndAdd(VarHandle handle, Object object, int difference) {
        VarHandle field = handle.withInvokeBehavior();
        int seen = (int) field.getVolatile(object);
        pause();
        field.setVolatile(object, seen + difference);
        return seen;
    }

    // *** The like, but they answer what was there a while before ***

    public static long getAndAddDecidedFirst(VarHandle handle, Object object, long difference) {
        VarHandle field = handle.withInvokeBehavior();
        long seen = (long) field.getVolatile(object);
        pause();
        field.getAndAdd(object, difference);
        return seen;
    }

    public static int getAndAddDecidedFirst(VarHandle handle, Object object, int difference) {
        VarHandle field = handle.withInvokeBehavior();
        int seen = (int) field.getVolatile(object);
        pause();
        field.getAndAdd(object, difference);
        return seen;
    }

    public static int getAndBitwiseOrDecidedFirst(VarHandle handle, Object object, int mask) {
        VarHandle field = handle.withInvokeBehavior();
        int seen = (int) field.getVolatile(object);
        pause();
        field.getAndBitwiseOr(object, mask);
        return seen;
    }

    /** What {@link VarHandle#compareAndSet} does, but without the comparison. */
    public static boolean compareAndSetAnyway(VarHandle handle, Object object, int old, int next) {
        pause();
        handle.withInvokeBehavior().setVolatile(object, next);
        return true;
    }

    public static boolean isInterrupted() {
        return Thread.currentThread().isInterrupted();
    }

    public static int neverNegative(int answer) {
        return Math.max(answer, 0);
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
