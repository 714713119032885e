package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.event.ExclusiveCallGate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * {@link CallGate} and {@link ExclusiveCallGate} with one fault. What changes there is to change
 * here.
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
        TURN_CHECKS_FIRST
    }

    private static final int DESTROYED = Integer.MIN_VALUE;
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
        if ((int) USES.getAndAdd(this, 1) >= 0) {
            return true;
        }
        USES.getAndAdd(this, -1);
        return false;
    }

    void leave() {
        if (fault == Fault.TURN_CHECKS_FIRST) {
            uses = 0;
        } else {
            USES.getAndAdd(this, -1);
        }
    }

    boolean destroy() {
        if (fault == Fault.DESTROY_CHECKS_FIRST) {
            if (uses < 0) {
                return false;
            }
            pause();
            USES.getAndBitwiseOr(this, DESTROYED);
        } else if ((int) USES.getAndBitwiseOr(this, DESTROYED) < 0) {
            return false;
        }
        while (uses != DESTROYED
                && fault != Fault.DESTROY_DOES_NOT_WAIT
                && fault != Fault.USE_CHECKS_FIRST) {
            Thread.onSpinWait();
        }
        return true;
    }

    void revive() {
        if (fault == Fault.REVIVE_FORGETS_CALLS) {
            uses = 0;
        } else {
            USES.getAndBitwiseAnd(this, ~DESTROYED);
        }
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 20; i++) {
            Thread.onSpinWait();
        }
    }
}
