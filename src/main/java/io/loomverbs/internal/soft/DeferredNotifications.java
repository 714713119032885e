package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AsyncListener;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * Actions to perform after all locks are released: calling listeners, and running other queues.
 * Used by one thread at a time. Keeps two fired CQs without allocating; one work request fires no
 * more unless it fails.
 */
final class DeferredNotifications {
    private static final Logger LOG = System.getLogger("io.loomverbs.soft");

    /** How often a listener is called if it fails for lack of memory. */
    private static final int MOST_TRIES = 1000;

    // Made in advance, for the lack of memory.
    private static final Consumer<Runnable> RUN = Runnable::run;
    private static final Consumer<SoftCq> TELL_OVERRUN = SoftCq::tellOverrun;
    private static final Consumer<SoftCq> FAIL_USERS = SoftCq::failUsers;

    private @Nullable SoftCq firstFired;
    private @Nullable SoftCq secondFired;
    private @Nullable ArrayDeque<Runnable> rest;

    /** CQs that have overrun, perhaps for lack of memory: so this takes none. */
    private @Nullable SoftCq overrun;

    private @Nullable SoftWc wc;

    /** The completion to give to {@link SoftCq#add} next; valid until the next call. */
    SoftWc completion() {
        SoftWc next = wc;
        if (next == null) {
            next = new SoftWc();
            wc = next;
        }
        return next;
    }

    boolean isEmpty() {
        return firstFired == null && rest == null && overrun == null;
    }

    /** Records the result of {@link SoftCq#add}. */
    void added(SoftCq cq, int result) {
        if (result == 0) {
            return;
        }
        if (result == SoftCq.OVERRUN) {
            cq.nextOverrun = overrun;
            overrun = cq;
        } else if (result == SoftCq.DROPPED) {
            later(cq::failUsers);
        } else if (firstFired == null) {
            firstFired = cq;
        } else if (secondFired == null) {
            secondFired = cq;
        } else {
            later(cq.events::completionEvent);
        }
    }

    void tell(AsyncListener listener, int type) {
        later(() -> listener.asyncEvent(type));
    }

    void later(Runnable action) {
        if (rest == null) {
            rest = new ArrayDeque<>();
        }
        rest.add(action);
    }

    void run() {
        SoftCq first = firstFired;
        SoftCq second = secondFired;
        ArrayDeque<Runnable> others = rest;
        SoftCq overran = overrun;
        firstFired = null;
        secondFired = null;
        rest = null;
        overrun = null;
        if (first != null) {
            fire(first);
        }
        if (second != null) {
            fire(second);
        }
        if (others != null) {
            for (Runnable action : others) {
                perform(RUN, action);
            }
        }
        while (overran != null) {
            SoftCq next = overran.nextOverrun;
            overran.nextOverrun = null;
            perform(TELL_OVERRUN, overran);
            perform(FAIL_USERS, overran);
            overran = next;
        }
    }

    /** Again, if there was no memory. */
    private static <T> void perform(Consumer<T> action, T of) {
        for (int tries = 1; ; tries++) {
            try {
                action.accept(of);
                return;
            } catch (RuntimeException | Error e) {
                if (isFinal(e, tries)) {
                    return;
                }
            }
        }
    }

    /** Notifies of an event; again if there was no memory. */
    static void fire(SoftCq cq) {
        for (int tries = 1; ; tries++) {
            try {
                cq.events.completionEvent();
                return;
            } catch (RuntimeException | Error e) {
                if (isFinal(e, tries)) {
                    return;
                }
            }
        }
    }

    /**
     * Reports it, unless it is a lack of memory, which may be temporary: threads wait for the
     * event.
     */
    private static boolean isFinal(Throwable failure, int tries) {
        if (failure instanceof VirtualMachineError && tries < MOST_TRIES) {
            return false;
        }
        report(failure);
        return true;
    }

    /** A log that fails must not keep others from being notified. */
    private static void report(Throwable cause) {
        try {
            LOG.log(Level.ERROR, "a listener of soft0 has failed", cause);
        } catch (RuntimeException | Error e) {
            // There is nothing left to report it to.
        }
    }
}
