package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

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
     * into the own queue of the other thread's carrier. These are submitted outside: the end of a
     * sleep or of a timed park, which a thread of the JDK submits; an unpark by a platform thread;
     * the start of a thread.
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
     * *** Slices ***
     *
     * While the *gate* is open, threads that are about to wait go on. One in `streak` of them looks
     * at the clock and, every two milliseconds, or five if few threads pass, sends a probe outside:
     * a virtual thread that parks for a nanosecond. It sends none if a carrier is known to be idle,
     * as with few threads that wait for a device: each probe makes some fifteen system calls. If
     * the last probe has not returned since, or threads are in the list (see below), it closes the
     * gate instead. A probe that did not park would not show enough: threads that yield, as polling
     * threads do, go to the external queue of their carrier when its own queue is empty, and so
     * does the start of a probe. A carrier that serves both may therefore never look at the timer's
     * queue. While no thread waits for events, no thread looks.
     *
     * While the gate is closed, every virtual thread *passes* before it waits: it joins the end of
     * a list and parks. Meanwhile it is in no queue for events and is no leader, so no event is
     * handed to it. So the own queues run empty, and the carriers run what is outside. The thread
     * that closed the gate has sent a *keeper* there, a virtual thread, which parks for a
     * nanosecond. The JDK's timer needs about 60 microseconds to submit it again. Until then the
     * carriers run everything else that is outside. That matters, since a carrier continues with
     * the external queue from which it took the last thread until that is empty: a keeper that did
     * not park could keep it from the other queues.
     *
     * When the keeper runs again it opens the gate and sends *envoys*, one for each processor. An
     * envoy unparks the first threads of the list into the queue of its own carrier: altogether one
     * in SLICES of the list, so that all have had their turn after SLICES slices, but `least` of
     * them at least, so that few threads need not wait for one another. These and the threads that
     * they wake have the carriers for a slice, that is, until a probe is late: four milliseconds,
     * or ten if all that pass are let in at once. If a carrier runs out of threads earlier, it
     * finds the next envoy outside.
     *
     * A thread that has passed may wait once before it passes again. A stale event would else cost
     * it a turn: with it a thread comes to wait, passes, finds the event and no completion, since
     * its peer was let in at the same time and has not run yet, and comes to wait anew. If the
     * gate was closed meanwhile, the peer's message would wait until the thread's next turn.
     *
     * *** Why no thread stays parked ***
     *
     *     threads are in the list and the gate is open    =>  an envoy is on its way
     *     the gate is closed                              =>  a keeper is on its way
     *
     * hold whenever the lock is free; "on its way" includes an agent that a thread is about to
     * start. An envoy that leaves others in the list starts the next one. If an agent cannot be
     * started, for lack of memory, the list is *dissolved*: all threads in it are unparked at
     * once, the gate is opened, and it is not closed for some time.
     *
     * Envoys and keepers come from outside. Another crowd, which does not use this class and keeps
     * all carriers busy, would block them. So the thread that closed the gate *watches*: instead of
     * parking it yields, which keeps it in its carrier's own queue as long as that holds others.
     * When the queue is empty it goes outside, behind scouts that it has sent, empty threads. If
     * nothing outside has run after PATIENCE_NANOS the list is dissolved, since this class cannot
     * help the threads outside. Otherwise the watcher parks.
     *
     * A thread that is pinned keeps its carrier while it is parked. If all carriers are kept like
     * this, none is left to run agents. So a platform thread, the *guard*, runs while the gate is
     * in use. It dissolves the list if nothing outside has run between two of its looks.
     *
     * One case remains. Another crowd that starts while all threads of this one are outside, and
     * never lets a carrier's queue run empty, blocks everything that is outside until it pauses:
     * timers, and these threads, too. The JDK offers no way back into a carrier's queue from
     * outside.
     *
     * *** Threads that do not pass ***
     *
     * Platform threads hold no carrier. A call with a timeout of 0 waits for nothing. A thread
     * whose timeout ends while it passes goes on, and then receives an available event without
     * waiting. An interrupted thread goes on and stays interrupted. Both leave their entry in the
     * list, until its turn comes. A thread finds a CQ that was closed meanwhile closed.
     *
     * *** What it costs ***
     *
     * A wait costs a count and two reads, and one wait in `streak` a look at the clock. Every two
     * to five milliseconds a virtual thread is started. While carriers are crowded, a slice costs
     * each thread that runs in it a small object and a park, and the carriers some 100
     * microseconds.
     */
    private static final int SLICES = 12;

    /**
     * How long a watcher waits for something outside to run, if it has also looked often enough.
     */
    private static final long PATIENCE_NANOS = 50_000_000;

    private static final int MOST_LOOKS = 64;

    /** How long the gate stays open after the list was dissolved. */
    private static final long QUIET_NANOS = 3_000_000_000L;

    /**
     * How long threads have the carriers before others do.
     *
     * @param streak one in how many waits looks at the clock; a power of two
     * @param nanos how long half a slice lasts: after it a thread looks
     * @param fewNanos the same while no more than {@code least} threads pass: each end of a slice
     *     costs them more, and no thread waits for many slices
     * @param least how many threads are let in for a slice at least
     * @param envoys how many envoys are sent at once
     * @param guardNanos after how long a guard looks
     */
    public record Slice(
            int streak, long nanos, long fewNanos, int least, int envoys, long guardNanos) {
        /** The values that measured best. */
        public static final Slice USUAL =
                new Slice(
                        8,
                        2_000_000,
                        5_000_000,
                        256,
                        Runtime.getRuntime().availableProcessors(),
                        1_000_000_000);
    }

    /** A thread that passes. */
    static final class Turn {
        private final Thread thread;

        /** Whether the thread may go on. Written once, before the unpark. */
        private volatile boolean over;

        /** Guarded by the lock while this is in the list. */
        private @Nullable Turn next;

        Turn(Thread thread) {
            this.thread = thread;
        }

        boolean mayGoOn() {
            return over || thread.isInterrupted();
        }
    }

    private final ThreadFactory threads;
    final TurnsGuard guard;
    private final BooleanSupplier idle;
    private final Slice slice;
    private final int mask;
    private final Runnable probe = this::probe;
    private final Runnable scout = this::arrive;
    private final Runnable envoy = this::letIn;
    private final Runnable keeper = this::keepGate;
    private final ReentrantLock lock = new BriefLock();

    /** Written under the lock. */
    private volatile boolean gateClosed;

    /** How long half of the present slice lasts. Written under the lock. */
    private volatile long half;

    /** When a thread looked or the gate was opened. Written under the lock. */
    private volatile long lookedNanos;

    /** How many threads from outside have run, modulo 2^32. Written under the lock. */
    private volatile int runs;

    /** How often the gate was closed, modulo 2^32. Written under the lock. */
    private volatile int closings;

    /** What {@link #runs} was then. */
    @GuardedBy("lock")
    private int runsBefore;

    /** Whether a probe was sent then. */
    @GuardedBy("lock")
    private boolean probed;

    @GuardedBy("lock")
    private @Nullable Turn first;

    @GuardedBy("lock")
    private @Nullable Turn last;

    /** How many are in the list. */
    @GuardedBy("lock")
    private int listed;

    /** How many an envoy lets in. */
    @GuardedBy("lock")
    private int batch = 1;

    /** Envoys that have not run yet. */
    @GuardedBy("lock")
    private int envoys;

    /** The instance of the JVM, or of this copy of the class. */
    public Turns() {
        this(
                Turns::unstarted,
                task -> HelperThreads.unstarted("loomverbs-turns", task),
                SchedulerCarriers::isAnyIdle,
                Slice.USUAL);
    }

    /**
     * @param threads makes virtual threads
     * @param guards makes platform threads
     * @param idle whether a carrier is known to have nothing to run
     */
    public Turns(ThreadFactory threads, ThreadFactory guards, BooleanSupplier idle, Slice slice) {
        this.threads = threads;
        this.idle = idle;
        this.guard = new TurnsGuard(this, guards, slice.guardNanos());
        this.slice = slice;
        mask = slice.streak() - 1;
        half = slice.nanos();
        lookedNanos = System.nanoTime();
    }

    private static Thread unstarted(Runnable task) {
        return Thread.ofVirtual()
                .name("loomverbs-turns")
                .inheritInheritableThreadLocals(false)
                .unstarted(task);
    }

    /**
     * To be called by a thread that is about to wait, before it joins a queue: returns at once, or
     * when others have had their turn.
     *
     * @param waits what {@link EventQueue#countWait} of that queue has returned
     * @param nanos for how long it may wait at most, from now on: in this call too
     * @return how long is left of that, perhaps nothing
     */
    public long before(EventQueue queue, int waits, long nanos) {
        boolean closed = gateClosed;
        if (queue.passed || ((waits & mask) != 0 && !closed)) {
            queue.passed = false;
            return nanos;
        }
        Thread me = Thread.currentThread();
        if (nanos <= 0 || !me.isVirtual() || me.isInterrupted()) {
            return nanos;
        }
        long now = System.nanoTime();
        if (closed || now - lookedNanos >= half) {
            queue.passed = look(new Turn(me), now, nanos);
        }
        return nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - now);
    }

    /** Whether the thread has passed. */
    boolean look(Turn turn, long now, long nanos) {
        int seen;
        boolean passes;
        boolean closes = false;
        lock.lock();
        try {
            if (!gateClosed) {
                if (now - lookedNanos < half) {
                    return false;
                }
                boolean needless = listed == 0 && idle.getAsBoolean();
                closes = !needless && probed && (listed > 0 || runs == runsBefore);
                if (closes) {
                    closeGate();
                } else {
                    lookFrom(now);
                    probed = !needless;
                }
                if (needless) {
                    return false;
                }
            }
            seen = runs;
            passes = gateClosed;
            if (passes) {
                append(turn);
            }
        } finally {
            lock.unlock();
        }
        if (closes) {
            start(keeper);
            guard.use();
            watch(turn, seen, now, nanos);
        } else if (!passes) {
            start(probe);
        }
        if (passes) {
            await(turn, now, nanos);
        }
        return passes;
    }

    /** Stays in the carrier's own queue until something outside has run. */
    @SuppressWarnings("ThreadPriorityCheck") // see the overview
    private void watch(Turn turn, int seen, long start, long nanos) {
        for (int looks = 1; runs == seen && !turn.mayGoOn(); looks++) {
            long waited = System.nanoTime() - start;
            if (waited >= nanos) {
                return;
            }
            if (waited >= PATIENCE_NANOS && looks > MOST_LOOKS) {
                dissolve(null);
                return;
            }
            if (looks > 1 && (looks & (looks - 1)) == 0) {
                start(scout);
            }
            Thread.yield();
        }
    }

    private void await(Turn turn, long start, long nanos) {
        while (!turn.mayGoOn()) {
            if (nanos == Long.MAX_VALUE) {
                LockSupport.park(this);
                continue;
            }
            long left = nanos - (System.nanoTime() - start);
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(this, left);
        }
    }

    /** Run by a probe: it arrives when the carriers serve what comes from a timer. */
    private void probe() {
        try {
            LockSupport.parkNanos(this, 1);
        } finally {
            arrive();
        }
    }

    /** Run by a scout. */
    private void arrive() {
        lock.lock();
        try {
            ran();
        } finally {
            lock.unlock();
        }
    }

    /** Run by a keeper: lets others have the carriers for a moment. */
    private void keepGate() {
        try {
            arrive();
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
            lookFrom(System.nanoTime());
            probed = false;
            half = listed > slice.least() ? slice.nanos() : slice.fewNanos();
            int most = Math.max(Math.min(listed, slice.least()), listed / SLICES);
            batch = (most + slice.envoys() - 1) / slice.envoys();
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

    /** Run by an envoy: unparks the threads that came first. */
    private void letIn() {
        Turn head = null;
        Runnable next = null;
        lock.lock();
        try {
            ran();
            envoys--;
            if (!gateClosed) {
                head = detach(batch);
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
            unparkAll(head);
        }
    }

    /**
     * Called when an agent cannot be sent or does not arrive: all threads continue, and none passes
     * for some time.
     */
    @SuppressWarnings("ReferenceEquality") // which of the agents it was
    void dissolve(@Nullable Runnable unsent) {
        Turn head;
        lock.lock();
        try {
            ran();
            if (unsent == envoy) {
                envoys--;
            }
            gateClosed = false;
            half = slice.nanos();
            lookedNanos = System.nanoTime() + QUIET_NANOS;
            head = detach(Integer.MAX_VALUE);
        } finally {
            lock.unlock();
        }
        unparkAll(head);
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

    int runs() {
        return runs;
    }

    int closings() {
        return closings;
    }

    /** Whether threads pass now. */
    boolean isInUse() {
        lock.lock();
        try {
            return gateClosed || listed > 0;
        } finally {
            lock.unlock();
        }
    }

    /** No other thread follows these links any more: the list was cut off under the lock. */
    private static void unparkAll(@Nullable Turn head) {
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
    private void lookFrom(long now) {
        lookedNanos = now;
        runsBefore = runs;
    }

    @GuardedBy("lock")
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    private void closeGate() {
        closings++;
        gateClosed = true;
    }

    /** An envoy to be started, if more are needed. */
    @GuardedBy("lock")
    private @Nullable Runnable nextEnvoy() {
        if (gateClosed || envoys == slice.envoys() || listed <= envoys * batch) {
            return null;
        }
        envoys++;
        return envoy;
    }

    @GuardedBy("lock")
    private void append(Turn turn) {
        if (last == null) {
            first = turn;
        } else {
            last.next = turn;
        }
        last = turn;
        listed++;
    }

    /** Cuts off the first {@code most} of the list. */
    @GuardedBy("lock")
    private @Nullable Turn detach(int most) {
        Turn head = first;
        Turn end = null;
        for (int n = 0; n < most && first != null; n++) {
            end = first;
            first = end.next;
            listed--;
        }
        if (end != null) {
            end.next = null;
        }
        if (first == null) {
            last = null;
        }
        return head;
    }
}
