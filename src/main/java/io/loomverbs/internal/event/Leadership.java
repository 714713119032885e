package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Of all threads that wait in queues fed by one {@link EventSource}, one is the leader: it waits in
 * the source, in the kernel, on everybody's behalf. The others park.
 */
public class Leadership { // not final: races run it with one step left out
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
     * A virtual thread that leads blocks its carrier, and takes another one into service meanwhile. If
     * that is refused, a platform thread takes the lead, for good. While others are ready to run, and the
     * other carrier does not serve them yet, the leader does not block: it looks at the source and yields.
     * A thread that yields may be the next that its carrier takes, over and over, so after some looks it
     * parks for a moment instead, and after more blocks nevertheless: on a busy machine somebody is always
     * on the way to a carrier. Carriers can come to be missed while the leader is in the kernel, by a
     * call that blocks elsewhere or by somebody who lowers the parallelism: then the source is woken, and
     * the leader asks again, and leaves the lead to a platform thread if its carrier is gone.
     *
     * After events for others the leader steps aside: the carrier that has just come back from the kernel
     * runs those that were woken, one wake-up after the event, too, and the new carrier takes the leader
     * back into the kernel.
     *
     * *** The end ***
     *
     * When the source throws, the cause is kept; the leader ends its queue and steps down, and instead
     * of being appointed everybody else has their queue ended, as has who comes later.
     */
    private static final VarHandle LEADER;

    private static final int LOOKS = 16;
    private static final int MOST_LOOKS = 64;
    private static final long LOOK_NANOS = 200_000;

    static {
        try {
            LEADER = MethodHandles.lookup().findVarHandle(Leadership.class, "leader", Waiter.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EventSource source;
    private final Carriers carriers;
    private final String name;
    private final WakeOnInterrupt interrupts;
    private final ReentrantLock lock = new ReentrantLock();

    /** Written under the lock, read without it as a hint. */
    private volatile @Nullable LedQueue firstEnlisted;

    @GuardedBy("lock")
    private @Nullable LedQueue lastEnlisted;

    /** Read volatile; from null by compare-and-set, to null by the leader. */
    private volatile @Nullable Waiter leader;

    /** Written once, by a leader. */
    private volatile @Nullable Throwable failure;

    /**
     * @param name of the thread that leads if virtual threads cannot
     */
    public Leadership(EventSource source, Carriers carriers, String name) {
        this.source = source;
        this.carriers = carriers;
        this.name = name;
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
        if (virtual && !me.mayBlock && !borrowOrAsk(me)) {
            leaveToThread(me, queue);
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
            me.mayBlock = false; // that may be why it was woken
        } else if (virtual && me.given == null) {
            Thread.yield();
        }
        return true;
    }

    private static boolean mayBlock(Waiter me) {
        return me.mayBlock || !me.thread.isVirtual();
    }

    /** Whether it has a carrier on loan then. */
    private boolean borrowOrAsk(Waiter me) {
        Carriers.Loan loan = me.onLoan ? carriers.ask() : carriers.borrow(source);
        if (loan == Carriers.Loan.REFUSED) {
            giveBack(me);
            return false;
        }
        me.onLoan = true;
        me.mayBlock = loan == Carriers.Loan.SERVING || me.looks == MOST_LOOKS;
        if (me.mayBlock) {
            me.looks = 0;
        }
        return true;
    }

    private void giveBack(Waiter me) {
        if (me.onLoan) {
            me.onLoan = false;
            me.mayBlock = false;
            carriers.giveBack(source);
        }
    }

    /** Does not wait in the source, and lets others have the carrier. */
    @SuppressWarnings("ThreadPriorityCheck") // see the overview
    private void look(Waiter me, long nanos) {
        awaitEvents(me, 0);
        if (isServed(me)) {
            return;
        }
        me.looks++;
        if (me.looks < LOOKS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(this, Math.min(nanos, LOOK_NANOS));
        }
    }

    /** Asked after the last lock that was taken before the park: see above. */
    boolean mayPark(Waiter me) {
        return me.given == null && leader != me;
    }

    /** To be called by every waiter that has left its queue: hands on the lead if it has it. */
    void left(Waiter me) {
        if (leader != me) {
            return;
        }
        try {
            giveBack(me);
        } finally {
            leader = null;
            appointNext();
        }
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
        if (queue.enlisted) {
            return;
        }
        lock.lock();
        try {
            if (!queue.enlisted && !queue.forgotten) {
                append(queue);
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@code queue} has ended: whoever still stands in it is about to leave. */
    void forget(LedQueue queue) {
        lock.lock();
        try {
            queue.forgotten = true;
            if (queue.enlisted) {
                remove(queue);
            }
        } finally {
            lock.unlock();
        }
    }

    boolean takeLead(Waiter me, LedQueue queue) {
        if (leader == null && appoint(me)) {
            return true;
        }
        enlist(queue);
        return leader == null && appoint(me);
    }

    boolean isServed(Waiter me) {
        return me.given != null;
    }

    int awaitEvents(Waiter me, long nanos) {
        interrupts.begins();
        try {
            return source.await(nanos, me);
        } catch (Throwable t) { // whatever it is, others must not wait for ever
            failure = t;
            return 0;
        } finally {
            interrupts.ended();
        }
    }

    void appointNext() {
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

    /** By the leader, which then parks as others do. */
    private void leaveToThread(Waiter me, LedQueue queue) {
        enlist(queue);
        try {
            Thread thread = Thread.ofPlatform().name(name).daemon().unstarted(this::leadForEver);
            leader = new Waiter(thread, this);
            thread.start();
        } catch (Throwable t) { // there are no more threads
            failure = t;
            leader = me;
        }
    }

    private void leadForEver() {
        Waiter me = leader;
        if (me == null) {
            throw new AssertionError("nobody else may set the lead free");
        }
        while (failure == null) {
            awaitEvents(me, Long.MAX_VALUE);
        }
        left(me);
    }

    private @Nullable LedQueue next() {
        if (firstEnlisted == null) {
            return null; // who enlists after this look sees that nobody leads
        }
        lock.lock();
        try {
            LedQueue queue = firstEnlisted;
            if (queue != null) {
                remove(queue);
            }
            return queue;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void append(LedQueue queue) {
        queue.previousEnlisted = lastEnlisted;
        if (lastEnlisted == null) {
            firstEnlisted = queue;
        } else {
            lastEnlisted.nextEnlisted = queue;
        }
        lastEnlisted = queue;
        queue.enlisted = true; // last: who sees it relies on the list
    }

    @GuardedBy("lock")
    private void remove(LedQueue queue) {
        LedQueue before = queue.previousEnlisted;
        LedQueue after = queue.nextEnlisted;
        if (before == null) {
            firstEnlisted = after;
        } else {
            before.nextEnlisted = after;
        }
        if (after == null) {
            lastEnlisted = before;
        } else {
            after.previousEnlisted = before;
        }
        queue.previousEnlisted = null;
        queue.nextEnlisted = null;
        queue.enlisted = false;
    }
}
