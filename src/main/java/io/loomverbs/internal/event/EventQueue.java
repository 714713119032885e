package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Where completion events wait for threads, and threads for completion events. */
public final class EventQueue extends LedQueue {
    /*
     * *** Overview ***
     *
     * A completion channel is one such queue, shared by its CQs. A CQ with direct delivery has one to
     * itself, so that both kinds of delivery are one algorithm with one proof.
     *
     * An event that comes up is handed to the thread that has waited longest, under the lock, and if
     * there is none it is kept, in a list. So who is woken has its event and need not look again. The order among
     * CQs is first come first served; a CQ with several pending events goes to the end after each.
     *
     * *** Waking in a chain ***
     *
     * To wake a thread costs more than most events are worth, and thousands may wait at one channel: an
     * event each would wake them all, for as little work as two could do without waiting in between. So
     * there are at most `atOnce` threads on their way, that is, handed an event and not run since. What
     * comes up meanwhile is listed, for whoever asks next. A thread that arrives hands the next listed
     * event to the next waiter, if both are there still. Thus threads that work off events quickly do it
     * alone, and handlers that block are joined by as many others as it takes.
     *
     *     events are kept and threads wait  =>  atOnce threads or more are on their way,
     *                                           or who has raised one is about to hand it over
     *
     * holds whenever the lock is free, and is what keeps a thread from waiting beside an event for ever:
     * those on their way arrive. Virtual threads do so when they get a carrier, which may take as long as
     * others like. Platform threads need none, and must not have to wait for it: while one waits each event
     * is handed over, and none waits where events are listed. (To what has to be fetched this does not
     * extend: there a virtual thread may have the lead that has no carrier yet.) Any other that takes a listed
     * event passes threads that wait or are on their way. After MOST_PASSED of these, and not before
     * PASSING_NANOS, it goes to the end of the queue instead or, if nobody waits there, yields. Either lets
     * those on their way have its carrier, so that nobody is passed for ever.
     *
     * A CQ's own queue hands over each event: it has one CQ and, but for threads that share its arm,
     * one waiter, of whom each needs its wake-up.
     *
     * *** The inbox ***
     *
     * Who raises an event of a shared queue takes the lock only if the event is to be handed over.
     * Otherwise the CQ is pushed onto a stack, from where whoever holds the lock takes all in, in the order
     * of the pushes, when the list is empty. So those who raise and those who take do not wait for each
     * other. A CQ that is in the inbox already is raised under the lock.
     *
     *     who raises: pushes, then reads `wanted`, and whether the CQ is closed
     *     who waits, or arrives: sets `wanted`, then looks into the inbox
     *     who has destroyed the CQ: has closed it, then looks into the inbox
     *
     * One sees the other. `wanted` may be true for no reason; it is false only while nobody waits to whom
     * an event might be handed, or after a look into the inbox since somebody does.
     *
     * *** Handing over ***
     *
     * An event counts as delivered, in its CQ's ledger, when it is handed over: under the lock, by
     * whoever hands it over. The ledger refuses once the CQ is closing; such a CQ is taken off the list
     * where it is found, and is not listed until the close has ended: a close that failed lists it
     * again, after its ledger is open again, so that one of the two finds the other's change. The same
     * holds for a CQ of which no more events can be counted: the acknowledgement that makes room lists
     * it again, after it has made it.
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
    private static final int AT_ONCE = 2;
    private static final int MOST_PASSED = 16;
    private static final long PASSING_NANOS = 100_000;

    /** What a waiter is given that has given up. */
    private static final Object GAVE_UP = new Object();

    private static final VarHandle INBOX;

    static {
        try {
            INBOX = MethodHandles.lookup().findVarHandle(EventQueue.class, "inbox", CqEvents.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ReentrantLock lock = new BriefLock();

    /** How many threads may be on their way while none but virtual threads wait. */
    private final int atOnce;

    @GuardedBy("lock")
    private @Nullable CqEvents firstListed;

    @GuardedBy("lock")
    private @Nullable CqEvents lastListed;

    @GuardedBy("lock")
    private @Nullable Waiter firstWaiter;

    @GuardedBy("lock")
    private @Nullable Waiter lastWaiter;

    @GuardedBy("lock")
    private @Nullable QueueEnd end;

    /** Threads that were handed an event and have not run since. */
    @GuardedBy("lock")
    private int onTheirWay;

    /** How many of those who wait are platform threads. */
    @GuardedBy("lock")
    private int platformWaiters;

    /** Events taken from the list past threads that wait, since one was let go before. */
    @GuardedBy("lock")
    private int passed;

    /** When one was let go before. */
    @GuardedBy("lock")
    private long gaveWay = System.nanoTime() - PASSING_NANOS;

    /** What came up and is not listed yet, the last first. Changed atomically. */
    private volatile @Nullable CqEvents inbox;

    /** Whether an event is to be handed over when it comes up. Written under the lock. */
    private volatile boolean wanted;

    /** How many events were delivered, modulo 2^32. Written under the lock, read without it. */
    private volatile int delivered;

    /**
     * @param feed what events have to be fetched from; null if they come by themselves
     * @param atOnce how many threads may be on their way, or {@link Integer#MAX_VALUE}
     */
    EventQueue(@Nullable EventFeed feed, int atOnce) {
        this.atOnce = atOnce;
        comesFrom(feed);
    }

    /**
     * A queue of many CQs, whose events wake threads in a chain.
     *
     * @param feed what events have to be fetched from; null if they come by themselves
     */
    public static EventQueue shared(@Nullable EventFeed feed) {
        return new EventQueue(feed, AT_ONCE);
    }

    /**
     * A queue of one CQ, each of whose events wakes a thread.
     *
     * @param feed what events have to be fetched from; null if they come by themselves
     */
    public static EventQueue ofOneCq(@Nullable EventFeed feed) {
        return new EventQueue(feed, Integer.MAX_VALUE);
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
    public @Nullable CqEvents take(long nanos) throws InterruptedException {
        return take(nanos, false, 0);
    }

    /**
     * Like {@link #take(long)}, but answers null, without waiting, if there is no event while
     * others than the first {@code seen} were delivered: one of them may have used up the arm that
     * the caller relies on.
     *
     * @param seen what {@link #delivered} was before the caller armed
     */
    public @Nullable CqEvents takeUnlessPassed(long nanos, int seen) throws InterruptedException {
        return take(nanos, true, seen);
    }

    /** How many events were delivered until now. */
    public int delivered() {
        return delivered;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a turn for others, not a hint
    private @Nullable CqEvents take(long nanos, boolean sharing, int seen)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos <= 0) {
            return tryTake();
        }
        Waiter waiter = null;
        Waiter wake = null;
        CqEvents cq;
        lock.lock();
        try {
            cq = passes() ? deliverListed() : null;
            if (cq == null) {
                if (end != null) {
                    throw end.exception();
                }
                if (sharing && delivered != seen) {
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
        return (CqEvents) waiter.given;
    }

    /**
     * Whether the caller may take a listed event, though others have waited longer; see the
     * overview. If it may, {@link #isToYield} says whether it is to yield afterwards.
     */
    @GuardedBy("lock")
    private boolean passes() {
        if ((firstListed == null && inbox == null) || (firstWaiter == null && onTheirWay == 0)) {
            return true;
        }
        if (!Thread.currentThread().isVirtual()) {
            return true; // a carrier is not its to make way for
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

    @GuardedBy("lock")
    private boolean isToYield() {
        return passed == 0 && onTheirWay > 0 && Thread.currentThread().isVirtual();
    }

    /** The thread waits no longer, and has left the list of those who do. */
    private void leave(Waiter waiter, boolean joined) {
        try {
            leavePlace(waiter);
        } catch (RuntimeException | Error e) {
            if (!(waiter.given instanceof CqEvents)) {
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
        return isShared() && waiter.given instanceof CqEvents && !waiter.tookItself;
    }

    /** One thread fewer is on its way: hands a listed event to the next. */
    private void arrived() {
        Waiter wake = null;
        lock.lock();
        try {
            onTheirWay--;
            wake = handWanted();
        } finally {
            lock.unlock();
        }
        wakeAll(wake);
    }

    /** Receives the next event if there is one; never waits, and ignores interruption. */
    public @Nullable CqEvents tryTake() {
        CqEvents cq = takeListed();
        EventFeed more = feed;
        for (int n = 0; more != null && cq == null && n < MOST_FETCHED; n++) {
            more = more.fetch() ? more : null;
            cq = takeListed();
        }
        return cq;
    }

    private @Nullable CqEvents takeListed() {
        lock.lock();
        try {
            CqEvents cq = deliverListed();
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
        if (!isShared()) {
            return null; // nothing is kept there while somebody waits
        }
        try {
            return handWanted();
        } catch (RuntimeException | Error e) {
            if (waiter.given != null) {
                return null;
            }
            remove(waiter);
            throw e;
        }
    }

    /** An event of {@code cq} came up: hands it to a waiter, or keeps it. */
    void raise(CqEvents cq) {
        if (isShared()) {
            raiseShared(cq);
        } else {
            raiseOwn(cq);
        }
    }

    private void raiseOwn(CqEvents cq) {
        Waiter wake = null;
        lock.lock();
        try {
            if (cq.isClosed()) {
                return;
            }
            cq.pending++;
            wake = handOver(cq);
        } finally {
            lock.unlock();
        }
        if (wake != null) {
            wake.wake();
        }
    }

    private void raiseShared(CqEvents cq) {
        // Not if it is wanted at once: then nobody shall come between and take it past who waits.
        boolean pushed = !wanted && cq.tryEnterInbox();
        if (pushed) {
            push(cq);
            if (!wanted && !cq.isClosed()) {
                return;
            }
        }
        Waiter wake = null;
        lock.lock();
        try {
            takeIn(); // what came up before goes before
            if (!pushed) {
                list(cq);
            }
            wake = handWanted();
        } finally {
            lock.unlock();
        }
        wakeAll(wake);
    }

    private void push(CqEvents cq) {
        CqEvents below;
        do {
            below = inbox;
            cq.below = below;
        } while (!INBOX.compareAndSet(this, below, cq));
    }

    /** Lists what is in the inbox. */
    @GuardedBy("lock")
    private void takeIn() {
        if (inbox == null) {
            return;
        }
        CqEvents last = (CqEvents) INBOX.getAndSet(this, null);
        CqEvents first = null;
        while (last != null) {
            CqEvents below = last.below;
            last.below = first;
            first = last;
            last = below;
        }
        while (first != null) {
            CqEvents cq = first;
            first = cq.below;
            cq.below = null; // before it leaves: who pushes it next writes that
            cq.leaveInbox();
            list(cq);
        }
    }

    /** An event of {@code cq} came up, and whoever waits is seen to later. */
    @GuardedBy("lock")
    private void list(CqEvents cq) {
        if (cq.isClosed()) {
            return;
        }
        cq.pending++;
        if (!cq.listed && !cq.isClosing()) {
            append(cq);
        }
    }

    /**
     * Hands over what is listed or in the inbox, as long as somebody waits who is not to be left
     * waiting, and says in {@link #wanted} whether such a one is left. For whoever has made waiters
     * or events more, or those on their way fewer.
     *
     * @return a list of its own of those who are to be woken
     */
    @GuardedBy("lock")
    private @Nullable Waiter handWanted() {
        Waiter first = null;
        Waiter last = null;
        while (firstWaiter != null && (onTheirWay < atOnce || platformWaiters > 0)) {
            Waiter next = handListed();
            if (next != null) {
                if (last == null) {
                    first = next;
                } else {
                    last.next = next;
                }
                last = next;
            } else if (wanted) {
                return first;
            } else {
                wanted = true; // and then another look: see the overview
            }
        }
        if (wanted) {
            wanted = false;
        }
        return first;
    }

    private boolean isShared() {
        return atOnce != Integer.MAX_VALUE;
    }

    /**
     * Wakes the thread that has waited longest, if any, with an event that need not mean anything:
     * the caller was given one, and has not waited again since.
     */
    void passOn(CqEvents cq) {
        Waiter wake = null;
        lock.lock();
        try {
            if (firstWaiter != null && !cq.isClosed()) {
                cq.pending++;
                wake = handOver(cq);
            }
        } finally {
            lock.unlock();
        }
        if (wake != null) {
            wake.wake();
        }
    }

    /** The close of the CQ has failed, or there is room: its events are to be found again. */
    void relist(CqEvents cq) {
        for (; ; ) {
            Waiter wake;
            lock.lock();
            try {
                wake = handOver(cq);
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
    void drop(CqEvents cq) {
        lock.lock();
        try {
            takeIn(); // the inbox would keep it
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
            served = cause == null ? null : serveListed();
            end = ended;
            woken = firstWaiter;
            for (Waiter w = woken; w != null; w = w.next) {
                w.given = ended;
            }
            firstWaiter = null;
            lastWaiter = null;
            platformWaiters = 0;
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

    /**
     * Hands what is listed to those who wait, however many are on their way.
     *
     * @return a list of its own of those who are to be woken
     */
    @GuardedBy("lock")
    private @Nullable Waiter serveListed() {
        Waiter first = handListed();
        Waiter last = first;
        while (last != null) {
            last.next = handListed();
            last = last.next;
        }
        return first;
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

    /** Who can lead without waiting for a carrier, else who waits longest. */
    @GuardedBy("lock")
    private @Nullable Waiter nextLeader() {
        Waiter waiter = firstWaiter;
        while (platformWaiters > 0 && waiter != null && waiter.thread.isVirtual()) {
            waiter = waiter.next;
        }
        return waiter;
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
            CqEvents cq = late ? deliverListed() : null;
            waiter.tookItself = cq != null;
            waiter.given = cq != null ? cq : GAVE_UP;
        } finally {
            lock.unlock();
        }
    }

    /** Takes the next event that its CQ's ledger lets through. */
    @GuardedBy("lock")
    private @Nullable CqEvents deliverListed() {
        for (; ; ) {
            if (firstListed == null) {
                takeIn();
            }
            CqEvents cq = firstListed;
            if (cq == null) {
                return null;
            }
            remove(cq);
            if (cq.tryDeliver() == Ledger.DELIVERED) {
                countDelivered();
                if (--cq.pending > 0) {
                    takeIn(); // what came up before goes before
                    if (!cq.listed) {
                        append(cq);
                    }
                }
                return cq;
            }
        }
    }

    /**
     * Hands one pending event of {@code cq} to the first waiter, or, if nobody waits, lists the CQ.
     *
     * @return whom to wake, or null if no event was handed over
     */
    @GuardedBy("lock")
    private @Nullable Waiter handOver(CqEvents cq) {
        if (cq.pending == 0 || cq.listed) {
            return null;
        }
        Waiter waiter = firstWaiter;
        if (waiter == null || (onTheirWay >= atOnce && platformWaiters == 0)) {
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
        hand(waiter, cq);
        return waiter;
    }

    /**
     * Hands the next listed event to the first waiter.
     *
     * @return whom to wake, or null if there is no waiter or no event
     */
    @GuardedBy("lock")
    private @Nullable Waiter handListed() {
        Waiter waiter = firstWaiter;
        CqEvents cq = waiter == null ? null : deliverListed();
        if (waiter == null || cq == null) {
            return null;
        }
        hand(waiter, cq);
        return waiter;
    }

    /** Gives a waiter an event that has been counted as delivered. */
    @GuardedBy("lock")
    private void hand(Waiter waiter, CqEvents cq) {
        remove(waiter);
        if (isShared()) {
            onTheirWay++;
        }
        waiter.given = cq;
    }

    @GuardedBy("lock")
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    private void countDelivered() {
        delivered++;
    }

    @GuardedBy("lock")
    private void append(CqEvents cq) {
        cq.listed = true;
        cq.previous = lastListed;
        if (lastListed == null) {
            firstListed = cq;
        } else {
            lastListed.next = cq;
        }
        lastListed = cq;
    }

    @GuardedBy("lock")
    private void remove(CqEvents cq) {
        CqEvents before = cq.previous;
        CqEvents after = cq.next;
        if (before == null) {
            firstListed = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastListed = before;
        } else {
            after.previous = before;
        }
        cq.previous = null;
        cq.next = null;
        cq.listed = false;
    }

    @GuardedBy("lock")
    private void append(Waiter waiter) {
        waiter.previous = lastWaiter;
        if (lastWaiter == null) {
            firstWaiter = waiter;
        } else {
            lastWaiter.next = waiter;
        }
        lastWaiter = waiter;
        if (!waiter.thread.isVirtual()) {
            platformWaiters++;
        }
    }

    @GuardedBy("lock")
    private void remove(Waiter waiter) {
        Waiter before = waiter.previous;
        Waiter after = waiter.next;
        if (before == null) {
            firstWaiter = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastWaiter = before;
        } else {
            after.previous = before;
        }
        waiter.previous = null;
        waiter.next = null;
        if (!waiter.thread.isVirtual()) {
            platformWaiters--;
        }
    }
}
