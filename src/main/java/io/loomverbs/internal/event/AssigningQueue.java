package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.Objects;

/**
 * The part of an {@link EventQueue} that works under its lock: which event goes to which thread.
 */
abstract class AssigningQueue extends ListingQueue {
    /*
     * A raised event is handed to the longest waiter, under the lock. If no thread waits, the event
     * is kept: its CQ is listed. So a woken thread owns its event and need not look again. The
     * order among CQs is first come first served; a CQ goes to the end after each event.
     *
     * An event counts as delivered, in its CQ's ledger, when it is handed to a thread, under the
     * lock. The ledger refuses once the CQ is closing; such a CQ is taken off the list when it is
     * met, and is not listed until the close has ended. A failed close first reopens the ledger,
     * then lists the CQ again, so that either it or a raiser sees the other's change. Likewise for
     * a CQ whose ledger is full: an acknowledgement first makes room, then lists it again.
     *
     * A queue that has a descriptor raises it when the list is no longer empty, and lowers it when
     * a thread that takes an event leaves the list empty, both under the lock. It raises it
     * permanently when the queue ends. Once there is a descriptor, no event stays in the inbox.
     *
     * It is a superclass, not a separate object, so that an event of a queue that has left the
     * caches loads few cache lines.
     */

    /** How threads are woken; null if each event wakes one. Guarded by the lock. */
    private final @Nullable WakeChain chain;

    /** Raised events that are not listed yet; null without a chain. */
    final @Nullable Inbox inbox;

    /**
     * The file descriptor of the queue; null unless one was asked for. From then on all events are
     * raised under the lock: the inbox is always wanted.
     */
    @GuardedBy("lock")
    private @Nullable Readiness readiness;

    /**
     * The waiter of a thread that has waited. Only that thread takes it; it puts it back without
     * the lock.
     */
    private @Nullable Waiter spare;

    /** How many events were delivered. Written under the lock, read without it. */
    private volatile long delivered;

    AssigningQueue(@Nullable WakeChain chain) {
        this.chain = chain;
        this.inbox = chain == null ? null : new Inbox();
    }

    /** A waiter of the calling thread, for one wait. */
    @GuardedBy("lock")
    final Waiter waiterOfThisThread(@Nullable StopSignal stop) {
        Waiter kept = spare;
        if (kept != null && kept.isOf(Thread.currentThread())) {
            spare = null;
            kept.renew(stop);
            return kept;
        }
        return new Waiter(leadership, stop);
    }

    /** The CQ that the thread was given. Its waiter is kept for its next wait. */
    final QueuedCq keep(Waiter waiter) {
        QueuedCq cq = (QueuedCq) Objects.requireNonNull(waiter.given);
        if (waiter.isFree()) {
            waiter.rest(); // it would keep a CQ that is closed, and a thread that has ended
            spare = waiter;
        }
        return cq;
    }

    /** How many events were delivered until now, modulo 2^32. */
    public final int delivered() {
        return (int) delivered;
    }

    /** How many events were delivered until now. */
    public final long deliveredEvents() {
        return delivered;
    }

    /** How many events of {@code cq} no thread has received yet. */
    public final int pending(QueuedCq cq) {
        lock.lock();
        try {
            return cq.pending + (cq.isInInbox() ? 1 : 0);
        } finally {
            lock.unlock();
        }
    }

    final boolean isChained() {
        return chain != null;
    }

    /** Whether the caller may take a listed event: see {@link WakeChain#passes}. */
    @GuardedBy("lock")
    final boolean passes() {
        return chain == null
                || inbox == null
                || (firstListed == null && inbox.isEmpty())
                || chain.passes(firstWaiter);
    }

    /** Whether a thread that has just taken a listed event should yield. */
    @GuardedBy("lock")
    final boolean isToYield() {
        return chain != null && chain.isToYield();
    }

    /** Whether a thread that waits may be handed an event now. */
    @GuardedBy("lock")
    private boolean mayWake() {
        return chain == null || !chain.isFull() || platformWaiters > 0;
    }

    @GuardedBy("lock")
    private void countArrival(Waiter waiter) {
        if (!waiter.hasArrived) {
            waiter.hasArrived = true;
            if (chain != null) {
                chain.arrives();
            }
        }
    }

    /** Lists what is in the inbox. */
    @GuardedBy("lock")
    final void drainInbox() {
        QueuedCq cq = inbox == null ? null : inbox.takeAll();
        while (cq != null) {
            QueuedCq next = Inbox.release(cq);
            list(cq);
            cq = next;
        }
    }

    /**
     * Hands over events that are listed or in the inbox, as long as there is a thread that must not
     * be left waiting, and tells the inbox whether such a thread is left. Called after adding
     * waiters or events, or when a woken thread runs. Does nothing in a queue without an inbox:
     * there no event is kept while a thread waits. If it ends with an Error, the threads that were
     * handed an event are woken, and the next thread that raises one hands over the rest.
     *
     * @return a separate list of the threads to wake
     */
    @GuardedBy("lock")
    final @Nullable Waiter assignWanted() {
        if (inbox == null) {
            return null;
        }
        Waiter first = null;
        Waiter last = null;
        try {
            while (firstWaiter != null && mayWake()) {
                Waiter next = assignListed();
                if (next != null) {
                    if (last == null) {
                        first = next;
                    } else {
                        last.next = next;
                    }
                    last = next;
                } else if (inbox.isWanted()) {
                    return first;
                } else {
                    inbox.setWanted(true); // and then another look: see there
                }
            }
            if (inbox.isWanted() && readiness == null) {
                inbox.setWanted(false);
            }
            return first;
        } catch (Error e) {
            inbox.setWanted(true);
            wakeAll(first);
            throw e;
        }
    }

    /** Like {@link #assignWanted}, once an event is listed: an Error does not undo that. */
    @GuardedBy("lock")
    final @Nullable Waiter assignRaised() {
        for (int tries = 1; ; tries++) {
            try {
                return assignWanted();
            } catch (Error e) {
                if (tries == MOST_TRIES) {
                    return null; // the next thread that raises one hands over the rest
                }
            }
        }
    }

    /** Called when a woken thread runs: hands a listed event to the next waiter. */
    final void arrived(Waiter waiter) {
        for (int tries = 1; ; tries++) {
            try {
                wakeAll(handOn(waiter));
                return;
            } catch (Error e) {
                if (tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    private @Nullable Waiter handOn(Waiter waiter) {
        lock.lock();
        try {
            countArrival(waiter);
            return assignWanted();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the waits of threads that wait with this signal, which was given before. */
    public final void endWaits(StopSignal stop) {
        Waiter woken;
        lock.lock();
        try {
            woken = removeWaiters(stop);
        } finally {
            lock.unlock();
        }
        wakeAll(woken);
    }

    /**
     * No other thread follows these links any more: the list was cut off under the lock. A wake-up
     * that meets an Error is tried again, and does not keep the others from being woken.
     */
    static void wakeAll(@Nullable Waiter first) {
        Error met = null;
        Waiter next;
        for (Waiter w = first; w != null; w = next) {
            next = w.next; // before: it may wait again as soon as it was told
            int triesLeft = MOST_TRIES;
            while (triesLeft > 0) {
                try {
                    w.wake();
                    triesLeft = 0;
                } catch (Error e) {
                    triesLeft--;
                    met = triesLeft == 0 ? e : met;
                }
            }
        }
        if (met != null) {
            throw met;
        }
    }

    /**
     * Like {@link #wakeAll}, after a step that must not be repeated: an Error does not undo that.
     */
    static void wakeAllRaised(@Nullable Waiter first) {
        try {
            wakeAll(first);
        } catch (Error e) {
            // A caller that learned of it would raise the event again.
        }
    }

    /**
     * Counts an event of {@code cq}, and hands it over or lists it: see {@link #assignOrList}. If
     * this ends with an Error, nothing has changed.
     */
    @GuardedBy("lock")
    final @Nullable Waiter add(QueuedCq cq) {
        boolean added = false;
        cq.pending++;
        try {
            Waiter wake = assignOrList(cq);
            added = true;
            return wake;
        } finally {
            if (!added) {
                cq.pending--;
            }
        }
    }

    /** Counts an event of {@code cq}; waiters are served later. */
    @GuardedBy("lock")
    final void list(QueuedCq cq) {
        if (cq.isClosed()) {
            return;
        }
        cq.pending++;
        if (!cq.listed && !cq.isClosing()) {
            append(cq);
        }
    }

    /**
     * Hands listed events to waiters, however many threads are on their way. If it ends with an
     * Error, the threads that were handed an event are woken.
     *
     * @return a separate list of the threads to wake
     */
    @GuardedBy("lock")
    final @Nullable Waiter assignAllListed() {
        Waiter first = assignListed();
        Waiter last = first;
        try {
            while (last != null) {
                last.next = assignListed();
                last = last.next;
            }
            return first;
        } catch (Error e) {
            wakeAll(first);
            throw e;
        }
    }

    /** Takes the next event that its CQ's ledger lets through. */
    @GuardedBy("lock")
    final @Nullable QueuedCq deliverListed() {
        for (; ; ) {
            if (firstListed == null) {
                drainInbox();
            }
            QueuedCq cq = firstListed;
            if (cq == null) {
                lowerIfEmpty();
                return null;
            }
            int outcome = cq.tryDeliver(); // first: it may end with an Error
            remove(cq);
            if (outcome == Ledger.DELIVERED) {
                countDelivered();
                if (--cq.pending > 0) {
                    drainInbox(); // earlier events go first
                    if (!cq.listed) {
                        append(cq);
                    }
                }
                lowerIfEmpty();
                return cq;
            }
        }
    }

    /** The number of the descriptor that {@link #watch} was given; -1 if there is none. */
    public final int fd() {
        lock.lock();
        try {
            return readiness == null ? -1 : readiness.number();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives this queue, which is shared, a descriptor that is readable while an event can be taken,
     * or a call throws, without waiting. If it has one already, {@code fd} is closed.
     *
     * @return the number of the descriptor that it has
     */
    public final int watch(ReadyFd fd) {
        Inbox shared = Objects.requireNonNull(inbox);
        lock.lock();
        try {
            if (readiness != null) {
                fd.close();
                return readiness.number();
            }
            readiness = Readiness.of(fd);
            shared.setWanted(true); // and then a look: see there
            drainInbox();
            if (hasEnded()) {
                readiness.raise();
            }
            raiseIfListed();
            return readiness.number();
        } finally {
            lock.unlock();
        }
    }

    /** Closes the descriptor, if there is one. */
    public final void unwatch() {
        lock.lock();
        try {
            if (readiness != null) {
                readiness.close();
                readiness = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Called when an event may have been listed. */
    @GuardedBy("lock")
    final void raiseIfListed() {
        if (readiness != null && firstListed != null) {
            readiness.raise();
        }
    }

    /** Called when an event may have been taken off the list. */
    @GuardedBy("lock")
    final void lowerIfEmpty() {
        if (readiness == null || firstListed != null) {
            return;
        }
        if (hasEnded()) {
            readiness.raise(); // an Error may have kept the end from being shown
        } else {
            readiness.lower();
        }
    }

    /** Called when a call throws, instead of waiting, from now on. */
    @GuardedBy("lock")
    final void raiseForTheEnd() {
        if (readiness != null) {
            readiness.raise();
        }
    }

    /** Whether a call returns, or throws, without waiting from now on. */
    abstract boolean hasEnded();

    /**
     * Hands one pending event of {@code cq} to the first waiter, or, if no thread waits, lists the
     * CQ.
     *
     * @return the thread to wake, or null if no event was handed over
     */
    @GuardedBy("lock")
    final @Nullable Waiter assignOrList(QueuedCq cq) {
        if (cq.pending == 0 || cq.listed) {
            return null;
        }
        Waiter waiter = firstWaiter;
        if (waiter == null || !mayWake()) {
            if (!cq.isClosing()) {
                append(cq);
            }
            return null;
        }
        if (cq.tryDeliver() != Ledger.DELIVERED) {
            return null;
        }
        countDelivered();
        cq.pending--;
        assign(waiter, cq);
        return waiter;
    }

    /**
     * Hands the next listed event to the first waiter.
     *
     * @return the thread to wake, or null if there is no waiter or no event
     */
    @GuardedBy("lock")
    final @Nullable Waiter assignListed() {
        Waiter waiter = firstWaiter;
        QueuedCq cq = waiter == null ? null : deliverListed();
        if (waiter == null || cq == null) {
            return null;
        }
        assign(waiter, cq);
        return waiter;
    }

    /** Gives a waiter an event that has been counted as delivered. */
    @GuardedBy("lock")
    final void assign(Waiter waiter, QueuedCq cq) {
        remove(waiter);
        if (chain != null) {
            chain.departs();
        }
        waiter.given = cq;
    }

    @GuardedBy("lock")
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    private void countDelivered() {
        delivered++;
    }
}
