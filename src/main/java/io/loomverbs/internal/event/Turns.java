package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets others have the carriers now and then while virtual threads that wait for events keep all of
 * them busy.
 */
public final class Turns {
    /*
     * *** The problem ***
     *
     * A carrier of the JDK's scheduler runs the threads in its own queue until that is empty. Only
     * then it looks elsewhere: at the queues of other carriers, and at the queues of external
     * submissions, here called *outside*. A virtual thread that another virtual thread unparks goes
     * into the own queue of that one's carrier. Submitted outside are: the end of a sleep or of a
     * timed park, which a thread of the JDK submits; an unpark by a platform thread; the start of a
     * thread.
     *
     * Two handlers that send each other messages wake each other continuously. So the own queue of
     * their carrier is never empty. If each carrier has such handlers, nothing outside runs until
     * they pause: no timeout ends, no thread starts, and of 10,000 CQs those that are being served
     * keep the carriers. Thread.yield does not help: while the own queue has other threads, the
     * yielding thread stays in it.
     *
     * So all such handlers have to leave the own queues at once, for a moment: a carrier looks
     * outside when its queue is empty, not when one thread has left it.
     *
     * *** Detecting a crowd ***
     *
     * A thread that is about to wait, in one of `streak` entries of its queue, looks at the clock
     * and, if the last probe was sent `late` nanoseconds ago, sends another one: an empty virtual
     * thread, whose start goes outside. If the last one has not run since, the carriers are
     * *crowded*. There is no timer: while no thread waits for events, no thread looks.
     *
     * *** Passing ***
     *
     * While they are crowded, a virtual thread *passes*, in one of `streak` entries of its queue,
     * before it waits: it joins the end of a list and parks. Meanwhile it is in no queue for events
     * and is no leader, so no event is handed to it. *Envoys* unpark the first threads of the list,
     * `batch` each, into the queue of the envoy's carrier. An envoy is a virtual thread, and its
     * start goes outside, too. So a CQ that is always ready is served `streak` times, and then
     * after all others that are ready; and a carrier whose own queue is empty looks outside before
     * it continues.
     *
     * That alone is not enough. A carrier continues with the external queue from which it took the
     * last thread until that is empty, which never happens as each envoy starts the next. So every
     * `gap` nanoseconds the next passing thread closes the *gate*: then every thread passes when it
     * comes to wait, and envoys unpark no thread. The own queues run empty. A *keeper*, a separate
     * virtual thread, parks for a nanosecond. The JDK's timer needs about 60 microseconds to submit
     * it again, and meanwhile the carriers run everything that is outside. When the keeper runs
     * again it opens the gate. If few threads are in the list by then, the carriers no longer count
     * as crowded until a probe is late again. So two pairs of handlers pass only in the gaps.
     *
     * *** Why no thread stays parked ***
     *
     *     a thread is in the list and the gate is open    =>  an envoy is on its way
     *     the gate is closed                              =>  a keeper is on its way
     *
     * hold whenever the lock is free; "on its way" includes an agent that a thread is about to
     * start. An envoy that leaves others in the list starts the next one, and the keeper starts
     * envoys after it has opened the gate. If one cannot be started, for lack of memory, the list
     * is *dissolved*: all threads in it are unparked at once, the gate is opened, and no thread
     * passes for some time.
     *
     * Envoys and keepers come from outside. Another crowd, which does not use this class and keeps
     * all carriers busy, would block them. So one of those that pass *watches*: instead of parking
     * it yields, which keeps it in its carrier's own queue as long as that holds others. When the
     * queue is empty it goes outside, behind scouts that it has started. If nothing outside has run
     * after PATIENCE_NANOS the list is dissolved, since this class cannot help the threads outside.
     * Otherwise the watcher parks, and the next passing thread watches.
     *
     * One case remains. Another crowd that starts while all threads of this one are outside, as in
     * a gap, and never lets a carrier's queue run empty, blocks everything that is outside until it
     * pauses: timers, and these threads, too. The JDK offers no way back into a carrier's queue
     * from outside.
     *
     * A thread that is pinned keeps its carrier while it is parked. If all carriers are kept like
     * this, none is left to run envoys. So each passing thread checks once a second whether an
     * envoy has run, and if not dissolves the list.
     *
     * *** Threads that do not pass ***
     *
     * Platform threads hold no carrier. A call with a timeout of 0 waits for nothing. A thread
     * whose timeout ends while it passes leaves the list, and then receives an available event
     * without waiting. An interrupted thread leaves the list and stays interrupted. A thread finds
     * a CQ that was closed meanwhile closed.
     *
     * *** What it costs ***
     *
     * An entry costs a count and two reads, and one entry in `streak` a look at the clock. Every
     * two milliseconds a virtual thread is started. While carriers are crowded, each pass costs a
     * small object and a park, and each `batch` of passes a virtual thread. Nothing is kept for
     * threads that are not in the list.
     */
    private static final int MOST_ENVOYS = 4;

    /** How long, and for how many looks at least, a watcher waits for something outside to run. */
    private static final long PATIENCE_NANOS = 50_000_000;

    private static final int MOST_LOOKS = 64;

    /** How long no thread passes after the list was dissolved. */
    private static final long QUIET_NANOS = 3_000_000_000L;

    /** How long a thread passes before it looks whether anything has happened meanwhile. */
    private static final long LOOK_NANOS = 1_000_000_000;

    /**
     * How often threads pass.
     *
     * @param streak in one of how many entries of a queue; a power of two
     * @param late after how many nanoseconds a probe is late
     * @param gap how many nanoseconds the gate stays open
     * @param batch how many an envoy unparks
     * @param few how many may gather in a gap without being a crowd
     */
    public record Pace(int streak, long late, long gap, int batch, int few) {
        /** The values that measured best. */
        public static final Pace USUAL = new Pace(8, 2_000_000, 4_000_000, 32, 8);
    }

    /** A thread that passes. The links are guarded by the lock. */
    private static final class Turn {
        private final Thread thread;

        /** Whether the thread may go on. Written once, before the unpark. */
        private volatile boolean over;

        private boolean listed;
        private @Nullable Turn previous;
        private @Nullable Turn next;

        Turn(Thread thread) {
            this.thread = thread;
        }
    }

    private final ThreadFactory threads;
    private final Pace pace;
    private final int mask;
    private final Runnable probe = this::arrive;
    private final Runnable scout = this::scout;
    private final Runnable envoy = this::release;
    private final Runnable keeper = this::keepGate;
    private final ReentrantLock lock = new BriefLock();

    /** Written under the lock. */
    private volatile boolean crowded;

    /** Written under the lock. */
    private volatile boolean gateClosed;

    /** When the last probe was sent. Written under the lock. */
    private volatile long sentNanos;

    /** How many envoys and keepers have run, modulo 2^32. Written under the lock. */
    private volatile int runs;

    @GuardedBy("lock")
    private boolean arrived = true;

    @GuardedBy("lock")
    private long openedNanos;

    @GuardedBy("lock")
    private long quietUntil;

    @GuardedBy("lock")
    private @Nullable Turn first;

    @GuardedBy("lock")
    private @Nullable Turn last;

    @GuardedBy("lock")
    private int parked;

    /** Envoys that have not run yet. */
    @GuardedBy("lock")
    private int envoys;

    /** Whether a passing thread watches. */
    @GuardedBy("lock")
    private boolean watched;

    /** The instance of the JVM, or of this copy of the class. */
    public Turns() {
        this(Turns::unstarted, Pace.USUAL);
    }

    /**
     * @param threads makes virtual threads
     */
    public Turns(ThreadFactory threads, Pace pace) {
        this.threads = threads;
        this.pace = pace;
        mask = pace.streak() - 1;
        sentNanos = System.nanoTime();
        openedNanos = sentNanos;
        quietUntil = sentNanos;
    }

    private static Thread unstarted(Runnable task) {
        return Thread.ofVirtual()
                .name("loomverbs-turns")
                .inheritInheritableThreadLocals(false)
                .unstarted(task);
    }

    /**
     * To be called by a thread that is about to wait, before it joins any queue: returns at once,
     * or when others have had their turn.
     *
     * @param queue the queue in which it is about to wait
     * @param nanos for how long it may wait at most, from now on: in this call too
     * @return how long is left of that, perhaps nothing
     */
    public long before(EventQueue queue, long nanos) {
        if ((++queue.entries & mask) != 0 && !gateClosed) {
            return nanos;
        }
        if (nanos <= 0 || !Thread.currentThread().isVirtual()) {
            return nanos;
        }
        long now = System.nanoTime();
        if (crowded) {
            pass(now, nanos);
        } else {
            look(now);
        }
        return nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - now);
    }

    /** Sends a probe, or finds that the last one is late. */
    private void look(long now) {
        if (now - sentNanos < pace.late()) {
            return;
        }
        lock.lock();
        try {
            if (now - sentNanos < pace.late() || now - quietUntil < 0) {
                return;
            }
            if (!arrived) {
                crowded = true;
                openedNanos = now - pace.gap(); // what is late has waited for long enough
                return;
            }
            arrived = false;
            sentNanos = now;
        } finally {
            lock.unlock();
        }
        start(probe);
    }

    private void arrive() {
        lock.lock();
        try {
            arrived = true;
        } finally {
            lock.unlock();
        }
    }

    private void pass(long now, long nanos) {
        Thread me = Thread.currentThread();
        if (me.isInterrupted()) {
            return;
        }
        Turn turn = new Turn(me);
        Runnable agent;
        boolean watches;
        int seen;
        lock.lock();
        try {
            if (!crowded) {
                return;
            }
            append(turn);
            agent = now - openedNanos < pace.gap() ? nextEnvoy() : closeGate();
            watches = !watched;
            watched = true;
            seen = runs;
        } finally {
            lock.unlock();
        }
        try {
            try {
                if (agent != null) {
                    start(agent);
                }
                if (watches) {
                    watch(turn, seen, now, nanos);
                }
            } finally {
                if (watches) {
                    stopWatching();
                }
            }
            await(turn, now, nanos);
        } finally {
            leave(turn);
        }
    }

    /** Stays in the carrier's own queue until an envoy or a keeper has run. */
    @SuppressWarnings("ThreadPriorityCheck") // see the overview
    private void watch(Turn turn, int seen, long start, long nanos) {
        for (int looks = 0; runs == seen && !turn.over && !turn.thread.isInterrupted(); looks++) {
            long waited = System.nanoTime() - start;
            if (waited >= nanos) {
                return;
            }
            if (waited >= PATIENCE_NANOS && looks >= MOST_LOOKS) {
                dissolve(null);
                return;
            }
            if (looks > 0 && (looks & (looks - 1)) == 0) {
                start(scout);
            }
            Thread.yield();
        }
    }

    /** Records that something outside has run. */
    private void scout() {
        lock.lock();
        try {
            ran();
        } finally {
            lock.unlock();
        }
    }

    private void stopWatching() {
        lock.lock();
        try {
            watched = false;
        } finally {
            lock.unlock();
        }
    }

    private void await(Turn turn, long start, long nanos) {
        int seen = runs;
        long looked = start;
        while (!turn.over && !turn.thread.isInterrupted()) {
            long now = System.nanoTime();
            long left = nanos - (now - start);
            if (left <= 0) {
                return;
            }
            if (now - looked >= LOOK_NANOS) {
                if (runs == seen) {
                    dissolve(null);
                    return;
                }
                seen = runs;
                looked = now;
            }
            LockSupport.parkNanos(this, Math.min(left, LOOK_NANOS));
        }
    }

    private void leave(Turn turn) {
        if (turn.over) {
            return;
        }
        lock.lock();
        try {
            if (turn.listed) {
                remove(turn);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Unparks those that came first; run by an envoy. */
    private void release() {
        Turn released = null;
        Runnable next = null;
        lock.lock();
        try {
            ran();
            envoys--;
            if (!gateClosed) {
                released = detach(pace.batch());
                next = nextEnvoy();
            }
        } finally {
            lock.unlock();
        }
        try {
            if (next != null) {
                start(next);
            }
        } finally {
            wakeAll(released);
        }
    }

    /** Lets others have the carriers for a moment; run by a keeper. */
    private void keepGate() {
        try {
            scout();
            LockSupport.parkNanos(this, 1);
        } finally {
            openGate();
        }
    }

    private void openGate() {
        int sent = 0;
        lock.lock();
        try {
            ran();
            gateClosed = false;
            openedNanos = System.nanoTime();
            if (parked <= pace.few()) {
                crowded = false;
            }
            while (nextEnvoy() != null) {
                sent++;
            }
        } finally {
            lock.unlock();
        }
        for (; sent > 0; sent--) {
            start(envoy);
        }
    }

    /**
     * Called when an agent cannot be sent or does not arrive: all threads continue, and no thread
     * passes for some time.
     */
    @SuppressWarnings("ReferenceEquality") // which of the agents it was
    private void dissolve(@Nullable Runnable unsent) {
        Turn released;
        lock.lock();
        try {
            ran();
            if (unsent == envoy) {
                envoys--;
            } else if (unsent == probe) {
                arrived = true;
            }
            crowded = false;
            gateClosed = false;

            quietUntil = System.nanoTime() + QUIET_NANOS;
            released = detach(Integer.MAX_VALUE);
        } finally {
            lock.unlock();
        }
        wakeAll(released);
    }

    private void start(Runnable agent) {
        boolean started = false;
        try {
            threads.newThread(agent).start();
            started = true;
        } catch (OutOfMemoryError e) {
            // Then without it.
        } finally {
            if (!started) {
                dissolve(agent);
            }
        }
    }

    /** No other thread follows these links any more: the list was cut off under the lock. */
    private static void wakeAll(@Nullable Turn head) {
        for (Turn t = head; t != null; t = t.next) {
            t.over = true;
        }
        for (Turn t = head; t != null; t = t.next) {
            LockSupport.unpark(t.thread);
        }
    }

    @GuardedBy("lock")
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    private void ran() {
        runs++;
    }

    @GuardedBy("lock")
    private @Nullable Runnable closeGate() {
        if (gateClosed) {
            return null;
        }
        gateClosed = true;
        return keeper;
    }

    /** An envoy to be started, if more are needed. */
    @GuardedBy("lock")
    private @Nullable Runnable nextEnvoy() {
        if (gateClosed || envoys == MOST_ENVOYS || parked <= envoys * pace.batch()) {
            return null;
        }
        envoys++;
        return envoy;
    }

    @GuardedBy("lock")
    private void append(Turn turn) {
        turn.listed = true;
        turn.previous = last;
        if (last == null) {
            first = turn;
        } else {
            last.next = turn;
        }
        last = turn;
        parked++;
    }

    @GuardedBy("lock")
    private void remove(Turn turn) {
        Turn before = turn.previous;
        Turn after = turn.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        turn.listed = false;
        parked--;
    }

    /** Cuts off the first {@code most} of the list. */
    @GuardedBy("lock")
    private @Nullable Turn detach(int most) {
        Turn head = first;
        Turn end = null;
        Turn rest = head;
        for (int n = 0; n < most && rest != null; n++) {
            rest.listed = false;
            end = rest;
            rest = rest.next;
            parked--;
        }
        if (end != null) {
            end.next = null;
            first = rest;
            if (rest == null) {
                last = null;
            } else {
                rest.previous = null;
            }
        }
        return head;
    }
}
