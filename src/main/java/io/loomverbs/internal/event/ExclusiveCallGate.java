package io.loomverbs.internal.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Lets one call at a time use a native CQ, and none once it is destroyed. Polls and arms are short,
 * and no call parks inside, so who comes meanwhile yields and looks again. A resize takes what the
 * device takes, a system call at least; a virtual thread that polls meanwhile yields to others.
 *
 * <p>One compare-and-set instead of the two additions of {@link CallGate}; and some drivers (mlx5)
 * read, when they arm a CQ, without a lock what a poll writes.
 */
public final class ExclusiveCallGate {
    private static final int FREE = 0;
    private static final int BUSY = 1;
    private static final int DESTROYED = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE =
                    MethodHandles.lookup()
                            .findVarHandle(ExclusiveCallGate.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int state;

    /** Must be followed by {@link #leave} if true; false if the CQ is destroyed. */
    public boolean enter() {
        return STATE.compareAndSet(this, FREE, BUSY) || enterLater(BUSY);
    }

    public void leave() {
        STATE.setRelease(this, FREE);
    }

    /** Begins to destroy: true for one caller, once nobody is inside any more. */
    public boolean destroy() {
        return STATE.compareAndSet(this, FREE, DESTROYED) || enterLater(DESTROYED);
    }

    /** Takes {@link #destroy} back, by the one who did it. */
    public void revive() {
        state = FREE;
    }

    @SuppressWarnings("ThreadPriorityCheck") // lets a call finish on this very processor
    private boolean enterLater(int wanted) {
        while (state != DESTROYED) {
            if (STATE.compareAndSet(this, FREE, wanted)) {
                return true;
            }
            Thread.yield();
        }
        return false;
    }
}
