package io.loomverbs.internal.event;

import java.util.concurrent.locks.ReentrantLock;

/** {@link Leadership} with one fault. */
final class FaultyLeadership extends Leadership {
    /** What is wrong. */
    enum Fault {
        /** Who steps down appoints nobody. */
        APPOINTS_NOBODY,
        /** Who has enlisted does not look again whether anybody leads. */
        NO_SECOND_LOOK,
        /** A leader that was given something by another thread is only unparked. */
        GIVER_DOES_NOT_WAKE,
        /** A leader goes into the kernel without a look at what it was given. */
        NO_LOOK_AT_GIVEN,
        /** An interrupt does not wake the source. */
        INTERRUPT_DOES_NOT_WAKE,
        /** A queue is enlisted though it has ended. */
        ENLISTS_WHAT_HAS_ENDED,
        /** Who has parked for the lock parks again, without a look at what it was given. */
        PARKS_AFTER_A_LOCK
    }

    private final Fault fault;
    private final EventSource source;

    /** Around that of the list, and held for longer. */
    private final ReentrantLock longer = new ReentrantLock();

    FaultyLeadership(EventSource source, Carriers carriers, Fault fault) {
        super(source, carriers, "test-poller");
        this.source = source;
        this.fault = fault;
    }

    @Override
    void appointNext() {
        if (fault != Fault.APPOINTS_NOBODY) {
            super.appointNext();
        }
    }

    @Override
    void enlist(LedQueue queue) {
        if (fault == Fault.ENLISTS_WHAT_HAS_ENDED) {
            queue.forgotten = false;
        }
        longer.lock();
        try {
            super.enlist(queue);
        } finally {
            longer.unlock();
        }
    }

    @Override
    boolean takeLead(Waiter me, LedQueue queue) {
        if (fault == Fault.NO_LOOK_AT_GIVEN) {
            pause();
        }
        if (fault != Fault.NO_SECOND_LOOK) {
            return super.takeLead(me, queue);
        }
        if (appoint(me)) {
            return true;
        }
        pause();
        enlist(queue);
        return false;
    }

    @Override
    boolean mayPark(Waiter me) {
        return fault == Fault.PARKS_AFTER_A_LOCK || super.mayPark(me);
    }

    @Override
    void forget(LedQueue queue) {
        longer.lock();
        try {
            super.forget(queue);
            if (fault == Fault.PARKS_AFTER_A_LOCK) {
                pause();
            }
        } finally {
            longer.unlock();
        }
    }

    @Override
    void wakeIfLeading(Waiter waiter) {
        if (fault != Fault.GIVER_DOES_NOT_WAKE) {
            super.wakeIfLeading(waiter);
        }
    }

    @Override
    int awaitEvents(Waiter me, long nanos) {
        if (fault == Fault.INTERRUPT_DOES_NOT_WAKE) {
            return source.await(nanos, me);
        }
        return super.awaitEvents(me, nanos);
    }

    @Override
    boolean isServed(Waiter me) {
        return fault != Fault.NO_LOOK_AT_GIVEN && super.isServed(me);
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 2_000; i++) {
            Thread.onSpinWait();
        }
    }
}
