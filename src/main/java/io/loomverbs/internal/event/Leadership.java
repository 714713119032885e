package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Chooses the leader of all threads that wait in queues fed by one {@link EventSource}. The leader
 * waits in the source, in the kernel, on behalf of all. The others park.
 */
public final class Leadership implements Carriers.Borrower {
    /*
     * *** Why a leader ***
     *
     * With a dedicated thread an event takes two wake-ups: the kernel wakes that thread, which
     * wakes the waiter. A leader fetches its own event with one. So there is no dedicated thread. A
     * waiter that finds no leader becomes the leader. A leader that has its event, or gives up,
     * passes the lead to another waiter before it leaves. If no thread waits, there is no leader,
     * and events stay in the kernel.
     *
     * *** There is a leader while threads wait ***
     *
     * Threads must never wait without a leader. Two pairs of steps ensure this:
     *
     *   a waiter:  joins its queue, enlists the queue, then looks whether `leader` is null
     *   a leader:  sets `leader` to null, then looks for an enlisted queue
     *
     * One sees the other. A queue is taken off the list before its waiters are looked for, under
     * the queue's lock; a thread that joins later, under that lock, finds the queue off the list
     * and enlists it. If there are waiters, the queue is enlisted first, and then its first waiter
     * appointed. If another thread has taken the lead meanwhile, it finds the queue when it steps
     * down. A queue may be in the list without waiters; it is dropped when it is met.
     *
     * A waiter is appointed under its queue's lock while it is in the queue. Leaving the queue
     * takes the same lock. So a thread that has left looks at `leader` once more and then knows for
     * certain whether it must step down.
     *
     * A waiter first tries to take the lead, so a thread that is alone uses no list and no lock
     * here.
     *
     * An ended queue is forgotten, and not enlisted again: its waiters have been served.
     *
     * *** The leader returns from the kernel ***
     *
     * A leader in the kernel does not notice an unpark. A thread that gives it an event writes
     * `given`, then checks whether it leads, and if so wakes the source; a new leader takes the
     * lead, then looks at `given`. One sees the other. An interrupt does the same, through
     * WakeOnInterrupt. A wake-up persists until the source has seen it, so no wake-up is lost, and
     * a late one costs one look.
     *
     * Parking for a lock may consume an unpark meant for the wait. A thread that enlists its queue
     * takes a lock after it last looked at `given` and `leader`, so it looks at both once more
     * before it parks.
     *
     * *** The carrier ***
     *
     * A virtual thread that leads blocks its carrier. The first such leader adds a carrier, until
     * the poller ends. If that is refused, a platform thread leads until then. If no platform
     * thread can be started either, the leader polls the source from time to time, and does not
     * block.
     *
     * While others are ready to run, and no other carrier serves them yet, the leader does not
     * block: it polls the source and yields. A yielding thread may be the next that its carrier
     * runs, repeatedly, so after some looks it parks briefly instead, and after more looks it
     * blocks nevertheless: on a busy machine a thread is always on its way to a carrier. A lack of
     * carriers can also arise while the leader is in the kernel, by a call that blocks elsewhere or
     * a lowered parallelism. Then the source is woken, the leader asks again, and it leaves the
     * lead to a platform thread if the extra carrier is gone.
     *
     * After events for others the leader yields: its carrier, just back from the kernel, runs the
     * woken threads, so they also wait for only one wake-up, and another carrier takes the leader
     * back into the kernel.
     *
     * *** The end ***
     *
     * If the source throws an exception, it has failed. The cause is kept, the leader ends its
     * queue and steps down, and the queues of all other waiters, present and future, are ended,
     * too. An Error concerns only the leader (out of stack or memory): it ends the leader's wait,
     * and another waiter takes the lead.
     *
     * `end` is called when no event can come any more. It ends the platform thread.
     */
    private static final VarHandle LEADER;

    private static final int LOOKS = 16;
    private static final int MOST_LOOKS = 64;
    private static final long LOOK_NANOS = 200_000;

    /** How long to wait before trying to start a thread again. */
    private static final long NO_THREAD_NANOS = 1_000_000_000;

    static {
        try {
            LEADER = MethodHandles.lookup().findVarHandle(Leadership.class, "leader", Waiter.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The leadership's record of one queue. */
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
     * @param me the caller, which is in {@code queue}
     * @return false if the caller is to park, because another thread leads
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
        boolean virtual = me.isVirtual;
        if (virtual && !mayBlock && !ask() && leaveToThread(me, queue)) {
            return !mayPark(me);
        }
        if (isServed(me)) {
            return true; // by a thread that did not see this one lead yet
        }
        if (!mayBlock(me)) {
            look(me, nanos);
            return true;
        }
        int raised = awaitEvents(me, nanos);
        if (raised == 0) {
            mayBlock = false; // that may be why it was woken
        } else if (me.given != null) {
            me.ledAlone = !hasFollowers();
        } else if (virtual) {
            Thread.yield();
        }
        return true;
    }

    private boolean mayBlock(Waiter me) {
        return mayBlock || !me.isVirtual;
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

    /** To be called by every waiter that has left its queue: passes on the lead if it has it. */
    void left(Waiter me) {
        if (leader != me) {
            return;
        }
        mayBlock = false;
        looks = 0;
        leader = null;
        for (int tries = 1; ; tries++) {
            try {
                appointNext();
                return;
            } catch (Error e) { // no other thread looks for a leader
                if (tries == LedQueue.MOST_TRIES) {
                    throw e;
                }
                Waiter appointed = leader;
                if (appointed != null) {
                    LockSupport.unpark(appointed.thread); // it may not have been told
                }
            }
        }
    }

    /** Makes {@code waiter} the leader unless there is one. Under its queue's lock. */
    boolean appoint(Waiter waiter) {
        return LEADER.compareAndSet(this, null, waiter);
    }

    /** Called when {@code waiter} was given an event: it must not stay in the kernel. */
    void wakeIfLeading(Waiter waiter) {
        if (leader == waiter) {
            source.wake();
        }
    }

    /** Whether others may be waiting too. */
    boolean hasFollowers() {
        return firstEnlisted != null;
    }

    /** Called when there are waiters in {@code queue}. */
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

    /** Called when {@code queue} has ended: threads that are still in it are about to leave. */
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
            boolean done = false;
            try {
                Throwable cause = failure;
                if (cause == null) {
                    queue.promote(this);
                } else {
                    queue.end(cause);
                }
                done = true;
            } finally {
                if (!done) {
                    enlist(queue); // an Error, which must not be the end of its waiters
                }
            }
        }
    }

    /**
     * Called by the leader, which then parks like others.
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
        } catch (Error e) { // not repeatedly
            failure = e;
            throw e;
        } finally {
            left(me);
        }
    }

    @Override
    public boolean isBlocking() {
        Waiter current = leader;
        return current != null && current.isVirtual;
    }

    @Override
    public void askAgain() {
        if (isBlocking()) {
            source.wake();
        }
    }

    /** Called once, when no event can come any more and no thread waits. */
    public void end() {
        ended = true;
        source.wake();
        carriers.giveBack();
    }

    /** Whether the source has failed. */
    public boolean hasFailed() {
        return failure != null;
    }

    private @Nullable LedQueue next() {
        if (firstEnlisted == null) {
            return null; // a waiter that enlists after this look sees that there is no leader
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
