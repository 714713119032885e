package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/** Where completion events wait for threads, and threads for completion events. */
public final class EventQueue extends AssigningQueue {
    /*
     * *** Overview ***
     *
     * A completion channel is one such queue, shared by its CQs. A CQ with direct delivery has one to
     * itself, so that both kinds of delivery are one algorithm with one proof.
     *
     * Events are assigned to threads as AssigningQueue says. The queue of a channel wakes threads in a chain
     * (see WakeChain), and has an inbox, so that to raise an event seldom takes the lock. The queue of one CQ
     * has neither: it has one CQ and, but for threads that share its arm, one waiter, of whom each needs its
     * wake-up.
     *
     * *** Giving up ***
     *
     * A waiter that is interrupted or runs out of time takes the lock and removes itself. If by then it
     * has been given an event, it keeps it: the event is returned, and an interrupt stays pending. One
     * that runs out of time takes a listed event, if there is one.
     *
     * *** Sharing an arm ***
     *
     * Threads that await completions of one CQ share its arm, and its event wakes one of them. Two
     * things keep the others from waiting for an event that nobody has asked for: `delivered` counts,
     * and a thread that reads it before it arms is not let into the queue once another event was
     * delivered; and who was given an event and leaves before it waits again passes a wake-up on to the
     * next in the queue. To have armed anew is not enough: that says nothing of what came before.
     *
     * *** Parking ***
     *
     * `given` is written under the lock, before the thread is unparked, and read volatile by the waiter
     * between parks; a waiter that has not seen it parks, and the unpark that follows the write lets it
     * go on. Threads are unparked after the lock is left.
     *
     * *** Who fetches events ***
     *
     * On a device whose events somebody has to fetch, a waiter may have to wait in the kernel instead of
     * parking: see Leadership. To whom an event goes does not depend on who has fetched it.
     *
     * *** The end ***
     *
     * A wait that ends with an Error, as when memory has run out, leaves nothing behind. If an event was
     * handed over before, that is what the caller gets.
     *
     * A queue that was closed or has failed keeps its cause; every waiter is handed it, and every later
     * call finds it. After a failure events that are still listed are delivered first, to those who wait
     * and to those who come, as read(2) on a dead channel returns what was queued before it returns EIO.
     */
    /** What a waiter is given that has given up. */
    private static final Object GAVE_UP = new Object();

    @GuardedBy("lock")
    private @Nullable QueueEnd end;

    /**
     * How often threads were about to wait here, modulo 2^32. A hint: two at once may be counted as
     * one.
     */
    int entries;

    /**
     * @param feed what events have to be fetched from; null if they come by themselves
     * @param chain how threads are woken; null if each event wakes one
     */
    EventQueue(@Nullable EventFeed feed, @Nullable WakeChain chain) {
        super(chain);
        comesFrom(feed);
    }

    /**
     * A queue of many CQs, whose events wake threads in a chain.
     *
     * @param feed what events have to be fetched from; null if they come by themselves
     */
    public static EventQueue shared(@Nullable EventFeed feed) {
        return new EventQueue(feed, new WakeChain(WakeChain.AT_ONCE));
    }

    /**
     * A queue of one CQ, each of whose events wakes a thread.
     *
     * @param feed what events have to be fetched from; null if they come by themselves
     */
    public static EventQueue ofOneCq(@Nullable EventFeed feed) {
        return new EventQueue(feed, null);
    }

    /**
     * Receives the next event, waiting for at most {@code nanos}: not at all for 0 or less, for
     * ever for {@link Long#MAX_VALUE}.
     *
     * @return the CQ, in whose ledger the event has been counted, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited and was
     *     given no event
     * @throws EventQueueEndedException if the queue was closed or has failed
     */
    public @Nullable QueuedCq take(long nanos) throws InterruptedException {
        return take(nanos, false, 0);
    }

    /**
     * Like {@link #take(long)}, but answers null, without waiting, if there is no event while
     * others than the first {@code seen} were delivered: one of them may have used up the arm that
     * the caller relies on.
     *
     * @param seen what {@link #delivered} was before the caller armed
     */
    public @Nullable QueuedCq takeUnlessPassed(long nanos, int seen) throws InterruptedException {
        return take(nanos, true, seen);
    }

    @SuppressWarnings("ThreadPriorityCheck") // a turn for others, not a hint
    private @Nullable QueuedCq take(long nanos, boolean sharing, int seen)
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
                if (sharing && delivered() != seen) {
                    return null;
                }
                waiter = new Waiter(leadership);
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
            } catch (OutOfMemoryError e) {
                // The event counts as delivered: it is what the caller gets.
            }
            return cq;
        }
        // Here and not in a method of its own: a parked virtual thread keeps every frame on the
        // heap.
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
                        LockSupport.parkNanos(this, left);
                    } else {
                        LockSupport.park(this);
                    }
                }
            }
        } catch (RuntimeException | Error e) {
            cancel(waiter, false);
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
        return (QueuedCq) waiter.given;
    }

    /** The thread waits no longer, and has left the list of those who do. */
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
        try {
            if (wasOnItsWay(waiter)) {
                arrived();
            }
        } finally {
            if (leadership != null) {
                leadership.left(waiter);
            }
        }
    }

    private boolean wasOnItsWay(Waiter waiter) {
        return isChained() && waiter.given instanceof QueuedCq && !waiter.tookItself;
    }

    /** One thread fewer is on its way: hands a listed event to the next. */
    private void arrived() {
        Waiter wake = null;
        lock.lock();
        try {
            countArrival();
            wake = assignWanted();
        } finally {
            lock.unlock();
        }
        wakeAll(wake);
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

    /** The thread waits from here on; not if this throws, unless it has an event. */
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

    /** An event of {@code cq} came up: hands it to a waiter, or keeps it. */
    void raise(QueuedCq cq) {
        if (inbox == null) {
            raiseOwn(cq);
        } else {
            raiseShared(cq, inbox);
        }
    }

    private void raiseOwn(QueuedCq cq) {
        Waiter wake = null;
        lock.lock();
        try {
            if (cq.isClosed()) {
                return;
            }
            cq.pending++;
            wake = assignOrList(cq);
        } finally {
            lock.unlock();
        }
        if (wake != null) {
            wake.wake();
        }
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
            drainInbox(); // what came up before goes before
            if (!pushed) {
                list(cq);
            }
            wake = assignWanted();
        } finally {
            lock.unlock();
        }
        wakeAll(wake);
    }

    /**
     * Wakes the thread that has waited longest, if any, with an event that need not mean anything:
     * the caller was given one, and has not waited again since.
     */
    void passOn(QueuedCq cq) {
        Waiter wake = null;
        lock.lock();
        try {
            if (firstWaiter != null && !cq.isClosed()) {
                cq.pending++;
                wake = assignOrList(cq);
            }
        } finally {
            lock.unlock();
        }
        if (wake != null) {
            wake.wake();
        }
    }

    /** The close of the CQ has failed, or there is room: its events are to be found again. */
    void relist(QueuedCq cq) {
        for (; ; ) {
            Waiter wake;
            lock.lock();
            try {
                wake = assignOrList(cq);
            } finally {
                lock.unlock();
            }
            if (wake == null) {
                return;
            }
            wake.wake();
        }
    }

    /** The CQ is destroyed: its pending events go with it. */
    void drop(QueuedCq cq) {
        lock.lock();
        try {
            drainInbox(); // the inbox would keep it
            cq.pending = 0;
            if (cq.listed) {
                remove(cq);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * No more events come: wakes every waiter, now and later. The first call counts.
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
        } finally {
            lock.unlock();
        }
        try {
            goesFrom();
        } finally {
            wakeAll(served);
            wakeAll(woken);
        }
    }

    /** Nobody else follows these links any more: the list was cut off under the lock. */
    private static void wakeAll(@Nullable Waiter first) {
        for (Waiter w = first; w != null; w = w.next) {
            w.wake();
        }
    }

    @Override
    void promote(Leadership leaderless) {
        Waiter next;
        lock.lock();
        try {
            next = nextLeader();
            if (next == null) {
                return;
            }
            leaderless.enlist(this); // before: see there
            if (!leaderless.appoint(next)) {
                return;
            }
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(next.thread);
    }

    /**
     * Removes a waiter that gives up, unless there is something for it by now. That it has given up
     * is given to it, so that it does so once.
     */
    private void cancel(Waiter waiter, boolean late) {
        lock.lock();
        try {
            if (waiter.given != null) {
                return;
            }
            remove(waiter);
            QueuedCq cq = late ? deliverListed() : null;
            waiter.tookItself = cq != null;
            waiter.given = cq != null ? cq : GAVE_UP;
        } finally {
            lock.unlock();
        }
    }
}
