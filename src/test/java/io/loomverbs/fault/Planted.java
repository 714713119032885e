package io.loomverbs.fault;

import java.lang.invoke.CallSite;
import java.lang.invoke.ConstantCallSite;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** What changed classes call where {@link Change} has planted a fault. */
public final class Planted {
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

    /** Has method {@code how} do what a VarHandle, an atomic number or an atomic array would. */
    public static CallSite link(
            MethodHandles.Lookup caller, String operation, MethodType type, String how)
            throws ReflectiveOperationException {
        MethodType general = MethodType.methodType(Object.class, String.class, Object[].class);
        return new ConstantCallSite(
                MethodHandles.lookup()
                        .findStatic(Planted.class, how, general)
                        .bindTo(operation)
                        .asCollector(Object[].class, type.parameterCount())
                        .asType(type));
    }

    /** In two steps. */
    public static Object torn(String operation, Object[] on) {
        Object seen = get(on);
        Object last = on[on.length - 1];
        boolean same = operation.startsWith("get") || Objects.equals(seen, on[on.length - 2]);
        if (same) {
            pause();
            set(
                    on,
                    switch (operation) {
                        case "getAndAdd" -> sum(seen, (Number) last);
                        case "getAndDecrement" -> sum(seen, -1);
                        default -> last;
                    });
        }
        return operation.equals("compareAndSet") ? (Object) same : seen;
    }

    private static Object sum(Object number, Number more) {
        return number instanceof Long n
                ? (Object) (n + more.longValue())
                : (int) number + more.intValue();
    }

    /** Without the comparison. */
    public static Object set(String operation, Object[] on) {
        pause();
        set(on, on[on.length - 1]);
        return true;
    }

    /** Answering what was there a while before. */
    public static Object decided(String operation, Object[] on) throws Throwable {
        Object seen = get(on);
        pause();
        ((VarHandle) on[0])
                .toMethodHandle(VarHandle.AccessMode.valueFromMethodName(operation))
                .invoke(on[1], on[2]);
        return seen;
    }

    private static Object get(Object[] on) {
        return switch (on[0]) {
            case VarHandle field -> field.withInvokeBehavior().getVolatile(on[1]);
            case AtomicReferenceArray<?> array -> array.get((int) on[1]);
            case AtomicLong number -> number.get();
            default -> ((AtomicInteger) on[0]).get();
        };
    }

    @SuppressWarnings("unchecked") // the element was taken from there
    private static void set(Object[] on, Object value) {
        switch (on[0]) {
            case VarHandle field -> field.withInvokeBehavior().setVolatile(on[1], value);
            case AtomicReferenceArray<?> array ->
                    ((AtomicReferenceArray<Object>) array).set((int) on[1], value);
            case AtomicLong number -> number.set((long) value);
            default -> ((AtomicInteger) on[0]).set((int) value);
        }
    }
}
