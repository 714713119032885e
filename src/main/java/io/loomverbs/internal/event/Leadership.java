package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Of all threads that wait in queues fed by one {@link EventSource}, one is the leader: it waits in
 * the source, in the kernel, on everybody's behalf. The others park.
 */
public final class Leadership implements Carriers.Borrower {
    /*
     * *** Why a leader ***
     *
     * An event that a thread of its own fetches takes two wake-ups, the kernel's of that thread and that
     * thread's of the waiter. A leader fetches its own event with one. So there is no such thread: who
     * has to wait and finds that nobody leads does, and who has got what it waited for, or gives up,
     * leaves the lead to another waiter before it goes. If nobody waits, nobody leads, and events stay
     * in the kernel.
     *
     * *** That somebody leads ***
     *
     * What must not be: threads wait, and nobody leads. Two pairs of steps see to it.
     *
     *   a waiter:  joins its queue, enlists the queue, then looks whether `leader` is null
     *   a leader:  sets `leader` to null, then looks for an enlisted queue
     *
     * One sees the other. A queue is taken from the list before its waiters are looked for, under its
     * lock; who joins it later, under that lock, finds it gone from the list and enlists it. If there are
     * waiters it is enlisted first, and then the first of them appointed: should another have taken the
     * lead meanwhile, that one finds the queue when it steps down. A queue may stand in the list without
     * waiters. It is dropped when it is met.
     *
     * A waiter is appointed under its queue's lock while it stands in the queue. To leave the queue takes
     * the same lock. So who has left it looks at `leader` once more and then knows for good whether it
     * has to step down.
     *
     * The first thing a waiter does is to try for the lead: a thread that is alone touches no list and no
     * lock here.
     *
     * A queue that has ended is forgotten, and not enlisted again: its waiters have what they waited for.
     *
     * *** That it comes back ***
     *
     * A leader in the kernel sees no unpark. Who gives it something writes `given`, then looks whether
     * it leads, and if so wakes the source; a leader takes the lead, then looks at `given`. One sees the
     * other. The same for an interrupt, by way of WakeOnInterrupt. A wake-up stays until the source
     * has seen it, so none is lost, and one that comes late costs a look.
     *
     * Nor does a thread see an unpark that parks for a lock when it comes: that park takes it, and the one
     * that it was meant for would last. Who has enlisted has taken a lock since it last looked at `given`
     * and `leader`, so it looks at both once more before it parks.
     *
     * *** The carrier ***
     *
     * A virtual thread that leads blocks its carrier. The first one takes another carrier into service,
     * which stays until the poller ends. If that is refused, a platform thread takes the lead until then.
     * If no thread can be started either, the leader looks at the source now and then, and does not block.
     *
     * While others are ready to run, and the other carrier does not serve them yet, the leader does not
     * block: it looks at the source and yields. A thread that yields may be the next that its carrier
     * takes, over and over, so after some looks it parks for a moment instead, and after more blocks
     * nevertheless: on a busy machine a thread is always on the way to a carrier. Carriers can come to be
     * missed while the leader is in the kernel, by a call that blocks elsewhere or when the parallelism is
     * lowered: then the source is woken, and the leader asks again, and leaves the lead to a platform
     * thread if its carrier is gone.
     *
     * After events for others the leader steps aside: the carrier that has just come back from the kernel
     * runs those that were woken, one wake-up after the event, too, and the new carrier takes the leader
     * back into the kernel.
     *
     * *** The end ***
     *
     * When the source throws an exception it is gone: the cause is kept; the leader ends its queue and
     * steps down, and instead of being appointed all other waiters have their queue ended, as have those
     * that come later. An Error is the leader's own misfortune (it is out of stack, or out of memory): it
     * ends the leader's wait, and another waiter takes the lead.
     *
     * `end` comes when nothing is left that events could come for. It sends away the platform thread.
     */
    private static final VarHandle LEADER;

    private static final int LOOKS = 16;
    private static final int MOST_LOOKS = 64;
    private static final long LOOK_NANOS = 200_000;

    /** How long to do without a thread that could not be started. */
    private static final long NO_THREAD_NANOS = 1_000_000_000;

    static {
        try {
            LEADER = MethodHandles.lookup().findVarHandle(Leadership.class, "leader", Waiter.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** What a leadership knows of one queue. */
    static final class Enlistment {
        private final LedQueue queue;

        /** Written under the leadership's lock, read without it. */
        private volatile boolean enlisted;

        /** No thread will wait in the queue any more. Guarded by the leadership's lock. */
        private boolean forgotten;

        /** The links are guarded by the leadership's lock. */
        private @Nullable Enlistment previous;

        private @Nullable Enlistment next;

        Enlistment(LedQueue queue) {
            this.queue = queue;
        }
    }

    private final EventSource source;
    private final Carriers carriers;
    private final ThreadFactory threads;
    private final WakeOnInterrupt interrupts;
    private final ReentrantLock lock = new ReentrantLock();

    /** Written under the lock, read without it as a hint. */
    private volatile @Nullable Enlistment firstEnlisted;

    @GuardedBy("lock")
    private @Nullable Enlistment lastEnlisted;

    /** Read volatile; from null by compare-and-set, to null by the leader. */
    private volatile @Nullable Waiter leader;

    /** Whether the leader may block, with a carrier serving others. The leader's own. */
    private boolean mayBlock;

    /** How often the leader has looked for events instead. The leader's own. */
    private int looks;

    /** Written once, by a leader. */
    private volatile @Nullable Throwable failure;

    /** Written once. */
    private volatile boolean ended;

    /** When no thread could be started, or 0. The leader's own. */
    private long noThreadSince;

    /**
     * @param name of the thread that leads if virtual threads cannot
     */
    public Leadership(EventSource source, Carriers carriers, String name) {
        this(source, carriers, task -> HelperThreads.unstarted(name, task));
    }

    /**
     * @param threads makes a platform thread that leads if virtual threads cannot
     */
    Leadership(EventSource source, Carriers carriers, ThreadFactory threads) {
        this.source = source;
        this.carriers = carriers;
        this.threads = threads;
        this.interrupts = new WakeOnInterrupt(source);
    }

    /**
     * Waits in the source once, if the caller leads, or can take the lead.
     *
     * @param me the caller, who stands in {@code queue}
     * @return false if the caller is to park: somebody else leads
     */
    @SuppressWarnings("ThreadPriorityCheck") // a step aside, not a hint
    boolean lead(Waiter me, LedQueue queue, long nanos) {
        if (leader != me && !takeLead(me, queue)) {
            return !mayPark(me);
        }
        Throwable cause = failure;
        if (cause != null) {
            queue.end(cause);
            return true;
        }
        boolean virtual = me.thread.isVirtual();
        if (virtual && !mayBlock && !ask() && leaveToThread(me, queue)) {
            return !mayPark(me);
        }
        if (isServed(me)) {
            return true; // by somebody who did not see this thread lead yet
        }
        if (!mayBlock(me)) {
            look(me, nanos);
            return true;
        }
        int raised = awaitEvents(me, nanos);
        if (raised == 0) {
            mayBlock = false; // that may be why it was woken
        } else if (virtual && me.given == null) {
            Thread.yield();
        }
        return true;
    }

    private boolean mayBlock(Waiter me) {
        return mayBlock || !me.thread.isVirtual();
    }

    /** Whether there is a carrier for others, or will be. */
    private boolean ask() {
        Carriers.Loan loan = carriers.ask(this);
        if (loan == Carriers.Loan.REFUSED) {
            return false;
        }
        mayBlock = loan == Carriers.Loan.SERVING || looks == MOST_LOOKS;
        if (mayBlock) {
            looks = 0;
        }
        return true;
    }

    /** Does not wait in the source, and lets others have the carrier. */
    @SuppressWarnings("ThreadPriorityCheck") // see the overview
    private void look(Waiter me, long nanos) {
        awaitEvents(me, 0);
        if (isServed(me)) {
            return;
        }
        if (looks < MOST_LOOKS) {
            looks++;
        }
        if (looks < LOOKS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(this, Math.min(nanos, LOOK_NANOS));
        }
    }

    /** Asked after the last lock that was taken before the park: see above. */
    private boolean mayPark(Waiter me) {
        return me.given == null && leader != me;
    }

    /** To be called by every waiter that has left its queue: hands on the lead if it has it. */
    void left(Waiter me) {
        if (leader != me) {
            return;
        }
        mayBlock = false;
        looks = 0;
        leader = null;
        appointNext();
    }

    /** Makes {@code waiter} the leader unless somebody leads. Under its queue's lock. */
    boolean appoint(Waiter waiter) {
        return LEADER.compareAndSet(this, null, waiter);
    }

    /** {@code waiter} was given something: it must not stay in the kernel. */
    void wakeIfLeading(Waiter waiter) {
        if (leader == waiter) {
            source.wake();
        }
    }

    /** Whether others may be waiting too. */
    boolean hasFollowers() {
        return firstEnlisted != null;
    }

    /** There are waiters in {@code queue}. */
    void enlist(LedQueue queue) {
        Enlistment entry = queue.enlistment;
        if (entry.enlisted) {
            return;
        }
        lock.lock();
        try {
            if (!entry.enlisted && !entry.forgotten) {
                append(entry);
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@code queue} has ended: whoever still stands in it is about to leave. */
    void forget(LedQueue queue) {
        lock.lock();
        try {
            Enlistment entry = queue.enlistment;
            entry.forgotten = true;
            if (entry.enlisted) {
                remove(entry);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean takeLead(Waiter me, LedQueue queue) {
        if (leader == null && appoint(me)) {
            return true;
        }
        enlist(queue);
        return leader == null && appoint(me);
    }

    private boolean isServed(Waiter me) {
        return me.given != null;
    }

    private int awaitEvents(Waiter me, long nanos) {
        interrupts.begins();
        try {
            return source.await(nanos, me);
        } catch (RuntimeException e) {
            failure = e;
            return 0;
        } finally {
            interrupts.ended();
        }
    }

    private void appointNext() {
        while (leader == null) {
            LedQueue queue = next();
            if (queue == null) {
                return;
            }
            Throwable cause = failure;
            if (cause == null) {
                queue.promote(this);
            } else {
                queue.end(cause);
            }
        }
    }

    /**
     * By the leader, which then parks as others do.
     *
     * @return false if no thread can be started: then it still leads
     */
    private boolean leaveToThread(Waiter me, LedQueue queue) {
        if (noThreadSince != 0 && System.nanoTime() - noThreadSince < NO_THREAD_NANOS) {
            return false;
        }
        enlist(queue);
        boolean started = false;
        try {
            Thread thread = threads.newThread(this::leadUntilTheEnd);
            leader = new Waiter(thread, this);
            thread.start();
            started = true;
        } catch (OutOfMemoryError e) { // too many threads, say
            noThreadSince = System.nanoTime() | 1;
        } finally {
            if (!started) {
                leader = me;
            }
        }
        return started;
    }

    private void leadUntilTheEnd() {
        Waiter me = leader;
        if (me == null) {
            throw new AssertionError("no other thread may take the lead away");
        }
        try {
            while (failure == null && !ended) {
                awaitEvents(me, Long.MAX_VALUE);
            }
        } catch (VirtualMachineError e) {
            throw e; // another waiter takes the lead, and has a new thread started
        } catch (Error e) { // not again and again
            failure = e;
            throw e;
        } finally {
            left(me);
        }
    }

    @Override
    public boolean isBlocking() {
        Waiter current = leader;
        return current != null && current.thread.isVirtual();
    }

    @Override
    public void askAgain() {
        if (isBlocking()) {
            source.wake();
        }
    }

    /** Nothing is left that events could come for, and no thread waits. To be called once. */
    public void end() {
        ended = true;
        source.wake();
        carriers.giveBack();
    }

    /** Whether the source is gone. */
    public boolean hasFailed() {
        return failure != null;
    }

    private @Nullable LedQueue next() {
        if (firstEnlisted == null) {
            return null; // a waiter that enlists after this look sees that nobody leads
        }
        lock.lock();
        try {
            Enlistment first = firstEnlisted;
            if (first == null) {
                return null;
            }
            remove(first);
            return first.queue;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void append(Enlistment entry) {
        entry.previous = lastEnlisted;
        if (lastEnlisted == null) {
            firstEnlisted = entry;
        } else {
            lastEnlisted.next = entry;
        }
        lastEnlisted = entry;
        entry.enlisted = true; // last: a thread that sees it relies on the list
    }

    @GuardedBy("lock")
    private void remove(Enlistment entry) {
        Enlistment before = entry.previous;
        Enlistment after = entry.next;
        if (before == null) {
            firstEnlisted = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastEnlisted = before;
        } else {
            after.previous = before;
        }
        entry.previous = null;
        entry.next = null;
        entry.enlisted = false;
    }
}
