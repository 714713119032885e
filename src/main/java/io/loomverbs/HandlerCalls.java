package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The calls of a handler by one thread, so that one that does not return is noticed. */
final class HandlerCalls {
    private static final Set<HandlerCalls> ALL = ConcurrentHashMap.newKeySet();
    private static final Pattern CARRIER = Pattern.compile("@(\\S+)$");
    private static final VarHandle STEPS;

    /** The watch looks each second, and dumps read what it has seen. */
    private static final ReentrantLock LOOKS = new ReentrantLock();

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

    /* What the last look has seen. */

    @GuardedBy("LOOKS")
    private int seen;

    @GuardedBy("LOOKS")
    private long since;

    @GuardedBy("LOOKS")
    private @Nullable String carrier;

    @GuardedBy("LOOKS")
    private boolean told;

    @GuardedBy("LOOKS")
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
        LOOKS.lock();
        try {
            for (HandlerCalls calls : ALL) {
                calls.lookAt(now, heldNanos, carrierNanos);
            }
        } finally {
            LOOKS.unlock();
        }
    }

    /**
     * What is to be said of handlers that have not returned for some time, as far as the watch has
     * seen: nothing if leak detection is off.
     *
     * @param served whose handlers: CQs and channels
     */
    static List<String> running(Set<?> served, long nanos) {
        List<String> found = new ArrayList<>();
        LOOKS.lock();
        try {
            long now = System.nanoTime();
            for (HandlerCalls calls : ALL) {
                if (served.contains(calls.served) && calls.hasRun(now, nanos)) {
                    found.add(calls.text(now - calls.since, " has not returned for "));
                }
            }
        } finally {
            LOOKS.unlock();
        }
        return found;
    }

    @GuardedBy("LOOKS")
    private boolean hasRun(long now, long nanos) {
        int step = (int) STEPS.getOpaque(this);
        return (step & 1) != 0 && step == seen && now - since >= nanos;
    }

    @GuardedBy("LOOKS")
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
            LeakDetection.report(text(held, " has kept its carrier, " + carrier + ", for "));
        }
        if (held >= heldNanos && !told) {
            told = true;
            LeakDetection.report(text(held, " has not returned for "));
        }
    }

    private String text(long nanos, String what) {
        return "the handler of "
                + served
                + what
                + Wording.wholeSeconds(nanos)
                + ": thread "
                + Place.of(thread);
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
