package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.event.ExclusiveCallGate;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * {@link CallGate} and {@link ExclusiveCallGate} for one call and one destroyer at a time, with one
 * fault. What changes there is to change here.
 */
final class FaultyGuard {
    /** What is wrong. */
    enum Fault {
        /** A call looks whether the object is destroyed, then counts itself. */
        USE_CHECKS_FIRST,
        /** A destroyer does not wait for the calls that are inside. */
        DESTROY_DOES_NOT_WAIT,
        /** Two destroyers each look whether it is destroyed, then mark it. */
        DESTROY_CHECKS_FIRST,
        /** A destroy that is taken back forgets the calls that were on their way out. */
        REVIVE_FORGETS_CALLS,
        /** A call looks whether it is somebody else's turn, then takes it. */
        TURN_CHECKS_FIRST,
        /** A call that meets a destroyer takes the object to be destroyed. */
        CONCLUDES_DESTROYED,
        /** The end of a refused destroy wakes nobody. */
        END_WAKES_NOBODY,
        /** The last call that leaves does not wake the destroyer. */
        LEAVE_WAKES_NOBODY
    }

    private static final int CLOSING = Integer.MIN_VALUE;
    private static final int DESTROYED = 1 << 30;
    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(FaultyGuard.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Fault fault;
    private volatile int uses;
    private volatile @Nullable Thread caller;
    private volatile @Nullable Thread destroyer;

    FaultyGuard(Fault fault) {
        this.fault = fault;
    }

    boolean enter() {
        if (fault == Fault.USE_CHECKS_FIRST) {
            if (uses < 0) {
                return false;
            }
            pause();
            USES.getAndAdd(this, 1);
            return true;
        }
        if (fault == Fault.TURN_CHECKS_FIRST) {
            while (uses != 0) {
                Thread.onSpinWait();
            }
            uses = 1;
            return true;
        }
        while ((int) USES.getAndAdd(this, 1) < 0) {
            leave();
            if (fault == Fault.CONCLUDES_DESTROYED || (!isPending() && uses < 0)) {
                return false;
            }
            caller = Thread.currentThread();
            while (isPending()) {
                LockSupport.park(this);
            }
        }
        return true;
    }

    private boolean isPending() {
        return (uses & (CLOSING | DESTROYED)) == CLOSING;
    }

    void leave() {
        if (fault == Fault.TURN_CHECKS_FIRST) {
            uses = 0;
        } else if ((int) USES.getAndAdd(this, -1) == CLOSING + 1
                && fault != Fault.LEAVE_WAKES_NOBODY) {
            LockSupport.unpark(destroyer);
        }
    }

    int destroy(IntSupplier destruction, int ifDestroyed) {
        if (fault == Fault.DESTROY_CHECKS_FIRST) {
            if (uses < 0) {
                return ifDestroyed;
            }
            pause();
            USES.getAndBitwiseOr(this, CLOSING);
        } else if ((int) USES.getAndBitwiseOr(this, CLOSING) < 0) {
            return ifDestroyed;
        }
        destroyer = Thread.currentThread();
        while (uses != CLOSING
                && fault != Fault.DESTROY_DOES_NOT_WAIT
                && fault != Fault.USE_CHECKS_FIRST) {
            LockSupport.park(this);
        }
        int outcome = destruction.getAsInt();
        if (outcome == 0) {
            USES.getAndBitwiseOr(this, DESTROYED);
        } else if (fault == Fault.REVIVE_FORGETS_CALLS) {
            uses = 0;
        } else {
            USES.getAndBitwiseAnd(this, ~CLOSING);
        }
        if (fault != Fault.END_WAKES_NOBODY) {
            LockSupport.unpark(caller);
        }
        return outcome;
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 20; i++) {
            Thread.onSpinWait();
        }
    }
}
