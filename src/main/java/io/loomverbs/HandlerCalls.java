package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The calls of a handler by one thread, so that one that does not return is noticed. */
final class HandlerCalls {
    private static final Set<HandlerCalls> ALL = ConcurrentHashMap.newKeySet();
    private static final Pattern CARRIER = Pattern.compile("@(\\S+)$");
    private static final VarHandle STEPS;

    static {
        try {
            STEPS = MethodHandles.lookup().findVarHandle(HandlerCalls.class, "steps", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object served;
    private final Thread thread;

    /** Odd while the handler runs. Written by the thread, opaque. */
    private int steps;

    /* What the last look has seen; the watch's own. */
    private int seen;
    private long since;
    private @Nullable String carrier;
    private boolean told;
    private boolean toldOfCarrier;

    private HandlerCalls(Object served, Thread thread) {
        this.served = served;
        this.thread = thread;
    }

    /** A thread is about to serve. */
    static HandlerCalls begin(Object served, Thread thread) {
        HandlerCalls calls = new HandlerCalls(served, thread);
        if (LeakDetection.ENABLED) {
            ALL.add(calls);
        }
        return calls;
    }

    /** The thread serves no more. */
    void end() {
        if (LeakDetection.ENABLED) {
            ALL.remove(this);
        }
    }

    void enter() {
        STEPS.setOpaque(this, steps + 1);
    }

    void leave() {
        STEPS.setOpaque(this, steps + 1);
    }

    static void look(long now, long heldNanos, long carrierNanos) {
        for (HandlerCalls calls : ALL) {
            calls.lookAt(now, heldNanos, carrierNanos);
        }
    }

    private void lookAt(long now, long heldNanos, long carrierNanos) {
        int step = (int) STEPS.getOpaque(this);
        if ((step & 1) == 0 || step != seen) {
            seen = step;
            since = now;
            told = false;
            toldOfCarrier = false;
            carrier = (step & 1) == 0 ? null : carrier();
            return;
        }
        String current = carrier();
        if (current == null || !current.equals(carrier)) {
            carrier = null; // it has left its carrier since the first look
        }
        long held = now - since;
        if (held >= carrierNanos && carrier != null && !toldOfCarrier) {
            toldOfCarrier = true;
            report(held, " has kept its carrier, " + carrier + ", for ");
        }
        if (held >= heldNanos && !told) {
            told = true;
            report(held, " has not returned for ");
        }
    }

    private void report(long nanos, String what) {
        Place now = Place.of(thread);
        LeakDetection.report(
                "the handler of "
                        + served
                        + what
                        + Wording.wholeSeconds(nanos)
                        + ": thread "
                        + now);
    }

    /** The carrier of a mounted virtual thread, else null. Only the thread's text shows it. */
    private @Nullable String carrier() {
        if (!thread.isVirtual()) {
            return null;
        }
        Matcher mounted = CARRIER.matcher(thread.toString());
        return mounted.find() ? mounted.group(1) : null;
    }
}
