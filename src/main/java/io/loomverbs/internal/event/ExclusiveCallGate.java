package io.loomverbs.internal.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * A gate that lets one call in at a time. It costs one compare-and-set instead of the two additions
 * of {@link CallGate}. Some drivers (mlx5) need it: when they arm a CQ, they read without a lock
 * what a poll writes.
 */
public final class ExclusiveCallGate extends DestroyGate {
    /*
     *   FREE       no call is inside
     *   BUSY       a short call is inside: a poll or an arm
     *   HELD       a system call or a destroyer is inside
     *   DESTROYED  final
     *
     * Leaving BUSY is only a release, so it wakes no thread. A thread that finds BUSY yields and
     * looks again. Once it has looked often, it sleeps between two looks, because the call has then
     * lost its processor. A thread that finds HELD parks until it is woken.
     */
    private static final int FREE = 0;
    private static final int BUSY = 1;
    private static final int HELD = 2;
    private static final int DESTROYED = 3;

    private static final int MOST_YIELDS = 100;
    private static final long PAUSE_NANOS = 50_000;

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

    /**
     * Lets a short call in, after the one that is inside and the outcome of an attempt to destroy
     * the object.
     *
     * @return true, and {@link #leave} must follow; false if the object is destroyed
     */
    public boolean enter() {
        return STATE.compareAndSet(this, FREE, BUSY) || enterLater(BUSY);
    }

    public void leave() {
        STATE.setRelease(this, FREE);
    }

    /**
     * Lets a call in that may take long, in the same way.
     *
     * @return true, and {@link #leaveLong} must follow; false if the object is destroyed
     */
    public boolean enterLong() {
        return enterLater(HELD);
    }

    public void leaveLong() {
        end(false);
        ended();
    }

    @Override
    public boolean isDestroyed() {
        return state == DESTROYED;
    }

    @Override
    protected boolean isPending() {
        return state == HELD;
    }

    @Override
    boolean tryBegin() {
        return enterLater(HELD);
    }

    /** They have left before the destroyer has entered. */
    @Override
    void awaitCalls() {}

    @Override
    void end(boolean destroyed) {
        state = destroyed ? DESTROYED : FREE;
    }

    private boolean enterLater(int wanted) {
        int looks = 0;
        while (!STATE.compareAndSet(this, FREE, wanted)) {
            int now = state;
            if (now == DESTROYED) {
                return false;
            }
            if (now == HELD) {
                awaitEnd();
            } else if (now == BUSY) {
                giveWay(++looks);
            }
        }
        return true;
    }

    @SuppressWarnings("ThreadPriorityCheck") // lets a call finish on this very processor
    private void giveWay(int looks) {
        Thread.yield();
        if (looks > MOST_YIELDS) {
            LockSupport.parkNanos(this, PAUSE_NANOS);
        }
    }
}
