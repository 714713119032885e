package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/** Matches pending completion events with waiting threads. */
public final class EventQueue extends AssigningQueue {
    /*
     * A completion channel is one such queue, shared by its CQs. A CQ with direct delivery has its
     * own. Events are assigned to threads as AssigningQueue says. The queue of a channel wakes
     * threads in a chain (see WakeChain), and has an inbox, so that raising an event rarely takes
     * the lock. The queue of one CQ has neither: except for threads that share its arm, it has one
     * waiter, which needs each wake-up. On a device whose events a thread has to fetch, a waiter
     * may have to wait in the kernel instead of parking: see Leadership.
     *
     * *** Giving up ***
     *
     * A waiter that is interrupted or times out takes the lock and removes itself. If it was given
     * an event by then, it returns the event, and stays interrupted. One that times out takes a
     * listed event, if there is one.
     *
     * *** Sharing an arm ***
     *
     * Threads that await completions of one CQ share its arm, and its event wakes one of them. Two
     * rules keep the others from waiting for an event that no arm will raise. A thread reads
     * `delivered` before it arms, and does not wait if another event was delivered since. And a
     * thread that was given an event and leaves without waiting again passes a wake-up on to the
     * next waiter. Arming again is not enough: an arm says nothing about earlier completions.
     *
     * *** Parking ***
     *
     * `given` is written under the lock, before the thread is unparked, and read volatile by the
     * waiter between parks. A waiter that misses it parks, and the unpark after the write ends
     * that. Threads are unparked after the lock is released.
     *
     * *** The end ***
     *
     * A wait that ends with an Error, such as lack of memory, leaves nothing behind. If an event
     * was handed over before, the caller gets the event. So a step that ends with an Error changes
     * nothing, and is tried again if others would wait for it in vain. There was enough stack for
     * it when the wait began; but a lock that is taken needs more stack than one that is free. An
     * event that is handed over or listed has been raised: an Error after that does not reach the
     * raiser, since it would raise the event again.
     *
     * A queue that was closed or has failed keeps the cause, for all present waiters and all later
     * calls. After a failure, events that are still listed are delivered first, as read(2) on a
     * dead channel returns queued events before EIO.
     */
    @GuardedBy("lock")
    private @Nullable QueueEnd end;

    /**
     * How often threads were about to wait here since one waited in the kernel alone. A hint: two
     * at once may count as one.
     */
    private int entries;

    /** Whether a thread that was about to wait here has passed {@link Turns} last. A hint, too. */
    boolean passed;

    /**
     * @param feed where events have to be fetched; null if the device raises them itself
     * @param chain how threads are woken; null if each event wakes one
     */
    EventQueue(@Nullable EventFeed feed, @Nullable WakeChain chain) {
        super(chain);
        comesFrom(feed);
    }

    /** A queue of many CQs, whose events wake threads in a chain. */
    public static EventQueue shared(@Nullable EventFeed feed) {
        return new EventQueue(feed, new WakeChain(WakeChain.AT_ONCE));
    }

    /** A queue of one CQ, each of whose events wakes a thread. */
    public static EventQueue ofOneCq(@Nullable EventFeed feed) {
        return new EventQueue(feed, null);
    }

    /**
     * To be called by a thread that is about to wait.
     *
     * @return how often threads were, with this time, modulo 2^32, since one waited in the kernel
     *     for its own events only: its carrier had nothing else to run; two at once may count as
     *     one
     */
    public int countWait() {
        return ++entries;
    }

    /**
     * Receives the next event, waiting for at most {@code nanos}: not at all for 0 or less, without
     * a limit for {@link Long#MAX_VALUE}.
     *
     * @return the CQ, in whose ledger the event has been counted, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited and was
     *     given no event
     * @throws EventQueueEndedException if the queue was closed or has failed
     */
    public @Nullable QueuedCq take(long nanos) throws InterruptedException {
        return take(nanos, false, 0, null);
    }

    /**
     * Like {@link #take(long)} without a limit, but returns null if the signal is given; perhaps an
     * event that is there already.
     */
    public @Nullable QueuedCq takeUnlessStopped(StopSignal stop) throws InterruptedException {
        return take(Long.MAX_VALUE, false, 0, stop);
    }

    /**
     * Like {@link #take(long)}, but returns null, without waiting, if there is no event and more
     * than {@code seen} events were delivered: one of these may have used up the arm that the
     * caller relies on.
     *
     * @param seen what {@link #delivered} was before the caller armed
     * @param stop if this is given, the wait also ends with null; null if nothing stops it
     */
    public @Nullable QueuedCq takeUnlessPassed(long nanos, int seen, @Nullable StopSignal stop)
            throws InterruptedException {
        return take(nanos, true, seen, stop);
    }

    // Yields to let others run, not as a hint; GAVE_UP is one object.
    @SuppressWarnings({"ThreadPriorityCheck", "ReferenceEquality"})
    private @Nullable QueuedCq take(
            long nanos, boolean sharing, int seen, @Nullable StopSignal stop)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos <= 0) {
            return tryTake();
        }
        Waiter waiter = null;
        Waiter wake = null;
        QueuedCq cq;
        lock.lock();
        try {
            cq = passes() ? deliverListed() : null;
            if (cq == null) {
                if (end != null) {
                    throw end.exception();
                }
                if ((sharing && delivered() != seen) || (stop != null && stop.isGiven())) {
                    return null;
                }
                waiter = waiterOfThisThread(stop);
                wake = join(waiter);
            } else if (!isToYield()) {
                return cq;
            }
        } finally {
            lock.unlock();
        }
        if (waiter == null) {
            try {
                Thread.yield();
            } catch (Error e) {
                // The event counts as delivered, so the caller gets it.
            }
            return cq;
        }
        // Not in a method of its own: a parked virtual thread keeps every frame on the heap.
        boolean joined = false;
        try {
            wakeAll(wake);
            if (feed != null) {
                feed.join();
                joined = true;
            }
            boolean timed = nanos != Long.MAX_VALUE;
            long start = timed ? System.nanoTime() : 0;
            while (waiter.given == null) {
                long left = timed ? nanos - (System.nanoTime() - start) : nanos;
                boolean late = left <= 0;
                if (late || Thread.currentThread().isInterrupted()) {
                    cancel(waiter, late);
                } else if (leadership == null || !leadership.lead(waiter, this, left)) {
                    if (timed) {
                        LockSupport.parkNanos(blocker, left);
                    } else {
                        LockSupport.park(blocker);
                    }
                }
            }
        } catch (RuntimeException | Error e) {
            giveUp(waiter);
            if (waiter.given == GAVE_UP) {
                throw e;
            }
        } finally {
            leave(waiter, joined);
        }
        if (waiter.given == GAVE_UP) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return null;
        }
        if (waiter.given instanceof QueueEnd ended) {
            throw ended.exception();
        }
        return keep(waiter);
    }

    /** Called when the thread has left the list of waiters. */
    private void leave(Waiter waiter, boolean joined) {
        try {
            leavePlace(waiter);
        } catch (RuntimeException | Error e) {
            if (!(waiter.given instanceof QueuedCq)) {
                throw e;
            }
        } finally {
            if (feed != null && joined) {
                feed.leave();
            }
        }
    }

    private void leavePlace(Waiter waiter) {
        if (waiter.ledAlone) {
            waiter.ledAlone = false;
            entries = 0;
        }
        try {
            if (isChained() && waiter.given instanceof QueuedCq && !waiter.tookItself) {
                arrived(waiter);
            }
        } finally {
            if (leadership != null) {
                leadership.left(waiter);
            }
        }
    }

    /** Receives the next event if there is one; never waits, and ignores interruption. */
    public @Nullable QueuedCq tryTake() {
        QueuedCq cq = takeListed();
        EventFeed more = feed;
        for (int n = 0; more != null && cq == null && n < MOST_FETCHED; n++) {
            more = more.fetch() ? more : null;
            cq = takeListed();
        }
        return cq;
    }

    /**
     * Lists the next event that the feed has, if any, before those that the caller raises next. A
     * caller that always raises again would keep the list filled, and no thread would fetch. Never
     * waits.
     */
    public void fetchOne() {
        if (feed != null) {
            feed.fetch();
        }
    }

    /** Throws if the queue was closed or has failed. */
    public void throwIfEnded() {
        lock.lock();
        try {
            if (end != null) {
                throw end.exception();
            }
        } finally {
            lock.unlock();
        }
    }

    private @Nullable QueuedCq takeListed() {
        lock.lock();
        try {
            QueuedCq cq = deliverListed();
            if (cq == null && end != null) {
                throw end.exception();
            }
            return cq;
        } finally {
            lock.unlock();
        }
    }

    /** Makes the thread a waiter; not if this throws, unless it has an event. */
    @GuardedBy("lock")
    private @Nullable Waiter join(Waiter waiter) {
        append(waiter);
        try {
            return assignWanted();
        } catch (RuntimeException | Error e) {
            if (waiter.given != null) {
                return null;
            }
            remove(waiter);
            throw e;
        }
    }

    /** Raises an event of {@code cq}: hands it to a waiter, or keeps it. */
    void raise(QueuedCq cq) {
        if (inbox == null) {
            raise(cq, false);
        } else {
            raiseShared(cq, inbox);
        }
    }

    private void raise(QueuedCq cq, boolean onlyIfAwaited) {
        Waiter wake = null;
        lock.lock();
        try {
            if (cq.isClosed() || (onlyIfAwaited && firstWaiter == null)) {
                return;
            }
            wake = add(cq);
        } finally {
            lock.unlock();
        }
        wakeAllRaised(wake);
    }

    private void raiseShared(QueuedCq cq, Inbox shared) {
        // Not if it is wanted at once: then no thread may take it past those that wait.
        boolean pushed = !shared.isWanted() && shared.tryPush(cq);
        if (pushed && !shared.isWanted() && !cq.isClosed()) {
            return;
        }
        Waiter wake = null;
        lock.lock();
        try {
            drainInbox(); // earlier events go first
            if (!pushed) {
                list(cq);
            }
            wake = assignRaised();
            raiseIfListed();
        } finally {
            lock.unlock();
        }
        wakeAllRaised(wake);
    }

    /**
     * Wakes the longest waiter, if any, with an event that may be spurious: the caller was given
     * one, and has not waited again since.
     */
    void passOn(QueuedCq cq) {
        raise(cq, true);
    }

    /** Lists the CQ again, after its close has failed or its count is no longer full. */
    void relist(QueuedCq cq) {
        for (; ; ) {
            Waiter wake;
            lock.lock();
            try {
                wake = assignOrList(cq);
                raiseIfListed();
            } finally {
                lock.unlock();
            }
            if (wake == null) {
                return;
            }
            wakeAllRaised(wake);
        }
    }

    /** Drops the pending events of a destroyed CQ. */
    void drop(QueuedCq cq) {
        lock.lock();
        try {
            drainInbox(); // the inbox would keep it
            cq.pending = 0;
            if (cq.listed) {
                remove(cq);
            }
            lowerIfEmpty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends all waits, present and future. The first call counts.
     *
     * @param cause null if the queue was closed, else why it failed
     */
    @Override
    public void end(@Nullable Throwable cause) {
        QueueEnd ended = QueueEnd.of(cause); // here: nothing must fail once the first is served
        Waiter served;
        Waiter woken;
        lock.lock();
        try {
            if (end != null) {
                return;
            }
            served = cause == null ? null : assignAllListed();
            end = ended;
            woken = firstWaiter;
            for (Waiter w = woken; w != null; w = w.next) {
                w.given = ended;
            }
            forgetWaiters();
            raiseForTheEnd();
        } finally {
            lock.unlock();
        }
        try {
            goesFrom();
        } finally {
            try {
                wakeAll(served);
            } finally {
                wakeAll(woken);
            }
        }
    }

    @Override
    @GuardedBy("lock")
    boolean hasEnded() {
        return end != null;
    }

    @Override
    void promote(Leadership leaderless) {
        Thread appointed;
        lock.lock();
        try {
            Waiter next = nextLeader();
            if (next == null) {
                return;
            }
            appointed = next.thread;
            leaderless.enlist(this); // before: see there
            if (!leaderless.appoint(next)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(appointed);
    }

    /** After an Error: the waiter must not stay in the list, where it would be handed events. */
    private void giveUp(Waiter waiter) {
        for (int tries = 1; waiter.given == null; tries++) {
            try {
                cancel(waiter, false);
            } catch (Error e) {
                if (tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    /**
     * Removes a waiter that gives up, unless it has an event by now. Marks it, so that it gives up
     * once.
     */
    private void cancel(Waiter waiter, boolean late) {
        lock.lock();
        try {
            if (waiter.given != null) {
                return;
            }
            QueuedCq cq = late ? deliverListed() : null;
            remove(waiter); // second: the first may end with an Error
            waiter.tookItself = cq != null;
            waiter.given = cq != null ? cq : GAVE_UP;
        } finally {
            lock.unlock();
        }
    }
}
