package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** A gate that lets any number of calls in at once, for one addition on the way in and out each. */
public final class CallGate extends DestroyGate {
    /*
     *   uses >= 0           open, with that many calls inside
     *   CLOSING + n         a destroyer waits for n calls to leave, or is at work
     *   CLOSING + DESTROYED + n
     *                       destroyed, final
     *
     * A call first adds itself, then looks. If it is not let in, it subtracts itself and waits for
     * the outcome. So each thread can delay a destroyer briefly, once.
     *
     * The destroyer publishes its thread, then looks at the count, then parks. The call that brings
     * the count to CLOSING then reads the destroyer. One sees the other.
     */
    private static final int CLOSING = Integer.MIN_VALUE;
    private static final int DESTROYED = 1 << 30;

    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(CallGate.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int uses;

    /** The thread that waits for calls to leave. */
    private volatile @Nullable Thread destroyer;

    /**
     * Lets a call in, after the outcome of an attempt to destroy the object, if there is one. A
     * thread inside this gate must not call this, nor a thread inside a gate whose calls a
     * destroyer of this gate may wait for: see {@link #tryEnter}.
     *
     * @return true, and {@link #leave} must follow; false if the object is destroyed
     */
    public boolean enter() {
        return (int) USES.getAndAdd(this, 1) >= 0 || enterLater();
    }

    private boolean enterLater() {
        do {
            leave();
            if (isDestroyed()) {
                return false;
            }
            awaitEnd();
        } while ((int) USES.getAndAdd(this, 1) < 0);
        return true;
    }

    /**
     * Lets a call in without waiting.
     *
     * @return true, and {@link #leave} must follow; false if the object is destroyed, or a thread
     *     tries to destroy it
     */
    public boolean tryEnter() {
        // First a look: calls that are refused must not keep a destroyer out.
        if (uses < 0) {
            return false;
        }
        if ((int) USES.getAndAdd(this, 1) >= 0) {
            return true;
        }
        leave();
        return false;
    }

    public void leave() {
        if ((int) USES.getAndAdd(this, -1) == CLOSING + 1) {
            LockSupport.unpark(destroyer);
        }
    }

    /** Waits for the outcome of an attempt to destroy the object, if there is one. */
    public void awaitOutcome() {
        awaitEnd();
    }

    @Override
    public boolean isDestroyed() {
        return (uses & (CLOSING | DESTROYED)) == (CLOSING | DESTROYED);
    }

    @Override
    protected boolean isPending() {
        return (uses & (CLOSING | DESTROYED)) == CLOSING;
    }

    @Override
    boolean tryBegin() {
        return (int) USES.getAndBitwiseOr(this, CLOSING) >= 0;
    }

    @Override
    void awaitCalls() {
        for (int i = 0; i < SPINS; i++) {
            if (uses == CLOSING) {
                return;
            }
            Thread.onSpinWait();
        }
        boolean interrupted = false;
        destroyer = Thread.currentThread();
        try {
            while (uses != CLOSING) {
                LockSupport.park(this);
                // While interrupted, park returns at once: the status is put aside.
                interrupted |= Thread.interrupted();
            }
        } finally {
            destroyer = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    void end(boolean destroyed) {
        if (destroyed) {
            USES.getAndBitwiseOr(this, DESTROYED);
        } else {
            USES.getAndBitwiseAnd(this, ~CLOSING);
        }
    }
}
