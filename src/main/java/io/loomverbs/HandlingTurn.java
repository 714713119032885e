package io.loomverbs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Lets one thread at a time handle completions of a CQ, without others having to wait. */
final class HandlingTurn {
    /*
     *   FREE   no thread handles
     *   TAKEN  one does
     *   AGAIN  one does, and is to look again before it ends: another has come since
     */
    private static final int FREE = 0;
    private static final int TAKEN = 1;
    private static final int AGAIN = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(HandlingTurn.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int state;

    /** How often a thread that took the turn found no completions. Changed by that thread. */
    private long emptyWakeUps;

    /** Takes the turn. If another thread has it, that thread will look again. */
    boolean tryBegin() {
        while (!STATE.compareAndSet(this, FREE, TAKEN)) {
            if (state == AGAIN || STATE.compareAndSet(this, TAKEN, AGAIN)) {
                return false;
            }
        }
        return true;
    }

    /** The thread that has the turn found no completions. */
    void foundNone() {
        emptyWakeUps++;
    }

    long emptyWakeUps() {
        return emptyWakeUps;
    }

    /** Whether a thread has the turn. */
    boolean isTaken() {
        return state != FREE;
    }

    /** Ends the turn, unless the thread is to look again. */
    boolean tryEnd() {
        if (STATE.compareAndSet(this, TAKEN, FREE)) {
            return true;
        }
        state = TAKEN;
        return false;
    }

    /** Ends the turn in any case. */
    void end() {
        state = FREE;
    }
}
