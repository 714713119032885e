package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/**
 * How many threads of a shared queue are woken at once, and how far others may overtake them. All
 * of it is guarded by the queue's lock.
 */
final class WakeChain {
    /*
     * Waking a thread costs more than handling most events, and thousands may wait at one channel.
     * A wake-up for each event would wake them all, for work that two threads could do without
     * waiting in between. So at most `atOnce` threads are on their way, that is, were handed an
     * event and have not run since. Events that are raised meanwhile are listed for the next thread
     * that asks. A thread that arrives hands the next listed event to the next waiter, if both are
     * there still. So fast handlers do all the work, and blocking handlers are joined by as many
     * others as needed.
     *
     *     events are kept and threads wait  =>  atOnce threads or more are on their way,
     *                                           or a thread that has raised one is about to hand it over
     *
     * holds whenever the lock is free. It keeps a thread from waiting beside an event indefinitely,
     * since those on their way arrive. Virtual threads arrive when they get a carrier, and other
     * threads may delay that without limit. Platform threads need no carrier, and must not wait for
     * one: while a platform thread waits, each event is handed over, and no platform thread waits
     * where events are listed. (This does not extend to events that have to be fetched: there a
     * virtual thread without a carrier may have the lead.)
     *
     * Any other thread that takes a listed event passes threads that wait or are on their way.
     * After MOST_PASSED of these, and not before PASSING_NANOS, it goes to the end of the queue
     * instead or, if no thread waits there, yields. Either lets those on their way have its
     * carrier. So overtaking is bounded.
     */
    static final int AT_ONCE = 2;
    private static final int MOST_PASSED = 16;
    private static final long PASSING_NANOS = 100_000;

    /** How many threads may be on their way while none but virtual threads wait. */
    private final int atOnce;

    /** Threads that were handed an event and have not run since. */
    private int onTheirWay;

    /** Events taken from the list past threads that wait, since a thread gave way. */
    private int passed;

    /** When a thread gave way. */
    private long gaveWay = System.nanoTime() - PASSING_NANOS;

    WakeChain(int atOnce) {
        this.atOnce = atOnce;
    }

    /** Whether no other virtual thread may be woken now. */
    boolean isFull() {
        return onTheirWay >= atOnce;
    }

    /** A thread was handed an event, and is to be woken. */
    void departs() {
        onTheirWay++;
    }

    /** A thread that was handed an event runs. */
    void arrives() {
        onTheirWay--;
    }

    /**
     * Whether the caller may take a listed event, though others have waited longer. If it may,
     * {@link #isToYield} says whether it is to yield afterwards.
     *
     * @param firstWaiter the thread that has waited longest, or null if none waits
     */
    boolean passes(@Nullable Waiter firstWaiter) {
        if (firstWaiter == null && onTheirWay == 0) {
            return true;
        }
        if (!Thread.currentThread().isVirtual()) {
            return true; // it has no carrier to give way with
        }
        if (++passed <= MOST_PASSED) {
            return true;
        }
        long now = System.nanoTime();
        if (now - gaveWay < PASSING_NANOS) {
            passed = 1;
            return true;
        }
        gaveWay = now;
        passed = 0;
        return firstWaiter == null;
    }

    boolean isToYield() {
        return passed == 0 && onTheirWay > 0 && Thread.currentThread().isVirtual();
    }
}
