package io.loomverbs.internal.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Keeps a native object from being destroyed while calls use it. Any number of calls at once; a
 * destroyer waits for those that are inside, which are short, and refuses those that come later.
 */
public final class CallGate {
    /** Added by the destroyer: whoever comes then finds a negative number. */
    private static final int DESTROYED = Integer.MIN_VALUE;

    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(CallGate.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int uses;

    /** Must be followed by {@link #leave} if true; false if the object is destroyed. */
    public boolean enter() {
        if ((int) USES.getAndAdd(this, 1) >= 0) {
            return true;
        }
        USES.getAndAdd(this, -1);
        return false;
    }

    public void leave() {
        USES.getAndAdd(this, -1);
    }

    /** Begins to destroy: true for one caller, once nobody is inside any more. */
    @SuppressWarnings("ThreadPriorityCheck") // lets a call finish on this very processor
    public boolean destroy() {
        if ((int) USES.getAndBitwiseOr(this, DESTROYED) < 0) {
            return false;
        }
        while (uses != DESTROYED) {
            Thread.yield();
        }
        return true;
    }

    /** Takes {@link #destroy} back, by the one who did it. */
    public void revive() {
        USES.getAndBitwiseAnd(this, ~DESTROYED);
    }
}
