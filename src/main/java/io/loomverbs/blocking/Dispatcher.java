package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStats;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Takes the completions of one CQ to the requests that they belong to, on behalf of all queue pairs
 * of the CQ.
 */
final class Dispatcher {
    /*
     * Which thread polls
     *
     * Only one thread at a time polls, the leader. It is a thread that waits for a request. It
     * polls, waits for events, and marks requests as done, also those of other threads, which it
     * wakes. When its own goal is reached it resigns.
     *
     * A thread that finds a leader enlists with its goal and in `waiting`, looks again, and parks.
     * A leader resigns by clearing `leader`, then looks for threads that wait. So one of both sees
     * the other. A thread that leaves `waiting`, for whatever reason, looks whether a leader is
     * missing: the thread that was woken to lead may just have reached its goal, or given up.
     *
     * The newest waiter becomes the leader. Requests are done in order, so it leads longest.
     *
     * A thread that finds its completion by its first poll never waits, and never gives up its
     * carrier. So one of STREAK leaders waits even so, which lets others have their turn (see
     * Fairness).
     *
     * A dispatcher without requests is still that of its CQ while a thread polls: a second one
     * would poll the same CQ, and each would take completions away from the other. A thread that
     * begins to lead later has reached its goal, since everything that it waited for has ended.
     *
     * Nothing is lost
     *
     * The batch and the place in it belong to the dispatcher, not to the leader. If a leader ends
     * with an Error in the middle, such as a lack of memory, the next one goes on at that place;
     * handling a completion twice does nothing (see WrId). The place is the first one already while
     * the batch is filled, as an Error may come just after that.
     *
     * The end of a CQ
     *
     * When a CQ delivers no more completions, for example because it has overrun or a handler
     * serves it, nothing says when the device no longer uses memory. So the queue pairs are reset,
     * after which the device executes none of their requests, and only then is their memory given
     * back.
     *
     * Two CQs
     *
     * A queue pair may have a CQ for sends and one for receives, each with its dispatcher and its
     * leader. A leader completes and ends only the side of its own dispatcher.
     */
    private static final int BATCH = 64;

    /**
     * How long a leader waits before it looks for queue pairs that the program has closed or reset.
     */
    private static final Duration AUDIT = Duration.ofSeconds(1);

    /** Batches that are polled without a look at the clock. A power of two. */
    private static final int MANY_BATCHES = 256;

    /** How many queue pairs a leader queries while completions of others keep coming. */
    private static final int FEW = 4;

    /** How many of those that need no query it looks at. */
    private static final int MANY = 1024;

    /** One in this many leaders waits, even if a poll would do. A power of two. */
    private static final int STREAK = 64;

    // What became of a leader:
    private static final int REACHED = 0;
    private static final int LATE = 1;
    private static final int NONE = 2;

    /** How long it waits while another thread may reach its goal without a completion. */
    static final Duration MOMENT = Duration.ofMillis(1);

    private static final System.Logger LOG = System.getLogger(Dispatcher.class.getName());

    /**
     * The dispatchers of CQs with requests. Requests hold their dispatcher, and it holds its CQ;
     * this holds neither, so that requests that are dropped without a close pin nothing. Under its
     * own lock.
     */
    private static final WeakHashMap<CompletionQueue, WeakReference<Dispatcher>> ALL =
            new WeakHashMap<>();

    private static final VarHandle LEADER;

    static {
        try {
            LEADER = MethodHandles.lookup().findVarHandle(Dispatcher.class, "leader", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CompletionQueue cq;
    private final Succession waiting = new Succession();

    /** The queue pairs, by the index that is part of their work request ids. See attach. */
    private volatile @Nullable Attachment[] attached = new Attachment[1];

    /** The indices that are in use. Under the lock of this. */
    private final BitSet claimed = new BitSet();

    /** Written under the lock of ALL. */
    private volatile int users;

    /**
     * The queue pairs that are attached, or about to be, by their sends. Under the lock of this.
     */
    private final Set<QueuePair> entered = new HashSet<>();

    /** The thread that polls, or null. By compare-and-set; cleared by that thread. */
    private volatile @Nullable Thread leader;

    /** What the leader waits for; null while it does not wait. For diagnosis. */
    private volatile @Nullable Goal ledFor;

    /** Since when, as {@link System#nanoTime}. Written by the leader, before {@link #ledFor}. */
    private long ledSince;

    /** Kept here: the context refers to it weakly. */
    private final Supplier<List<WaitStats>> shown = this::waits;

    private final Tally tally;

    // Of the leader:
    private final WorkCompletions batch = WorkCompletions.allocate(BATCH);
    private final Pace pace = new Pace();
    private int next;

    private int audited;
    private int leads;
    private int batches;
    private long lastAudit = System.nanoTime();
    private boolean warned;

    private Dispatcher(CompletionQueue cq) {
        this.cq = cq;
        this.tally = new Tally(cq);
        cq.context().addWaits(shown);
    }

    /**
     * Room for the completions of a queue pair in a CQ.
     *
     * @param of the dispatcher of the CQ
     * @param completions for how many
     */
    record Share(Dispatcher of, int completions) {}

    /**
     * The dispatcher of a CQ, with room for a queue pair's completions reserved.
     *
     * @throws IllegalStateException if the CQ has no room for that many
     */
    static Dispatcher reserve(CompletionQueue cq, int completions) {
        return reserve(cq, completions, completions).of();
    }

    /**
     * Reserves room for as many completions as there is room for, within limits.
     *
     * @throws IllegalStateException if the CQ has no room for {@code least}
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    static Share reserve(CompletionQueue cq, int least, int most) {
        synchronized (ALL) {
            int granted = cq.reserve(least, most);
            if (granted < 0) {
                throw new IllegalStateException(
                        cq
                                + " holds "
                                + cq.cqe()
                                + " completions, of which other queue pairs may need "
                                + cq.reserved()
                                + ", so there is no room for the "
                                + least
                                + " of this one: make the CQ larger, or reduce sends and"
                                + " receives of the RequestsConfig");
            }
            Share share = null;
            try {
                Dispatcher d = known(cq);
                if (d == null) {
                    d = new Dispatcher(cq);
                    ALL.put(cq, new WeakReference<>(d));
                } else if (d.users == 0) {
                    d.tally.recount();
                }
                share = new Share(d, granted);
                d.users++;
                return share;
            } finally {
                if (share == null) {
                    cq.unreserve(granted);
                }
            }
        }
    }

    /** Under the lock of ALL. */
    private static @Nullable Dispatcher known(CompletionQueue cq) {
        WeakReference<Dispatcher> known = ALL.get(cq);
        return known == null ? null : known.get();
    }

    /** How many completions could be reserved now. */
    static int room(CompletionQueue cq) {
        return cq.cqe() - cq.reserved();
    }

    /** Ends what {@link #reserve} began. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only ever written under the lock
    void unreserve(int completions) {
        synchronized (ALL) {
            cq.unreserve(completions);
            users--;
        }
        dropIfUnused();
    }

    /** The last user leaves, then looks for a leader; a leader resigns, then looks for users. */
    private void dropIfUnused() {
        if (users == 0 && leader == null) {
            synchronized (ALL) {
                if (users == 0 && leader == null && known(cq) == this) {
                    ALL.remove(cq);
                }
            }
        }
    }

    /** Whether a thread polls although the CQ has no requests: it will notice that soon. */
    boolean isLedUnused() {
        return users == 0 && leader != null;
    }

    /**
     * A queue pair is about to be attached, until {@link #leave}.
     *
     * @throws IllegalStateException if it is already
     */
    synchronized void enter(QueuePair qp) {
        if (!entered.add(qp)) {
            throw new IllegalStateException("requests over " + qp + " are open: close them first");
        }
    }

    /** Ends what {@link #enter} began. */
    synchronized void leave(QueuePair qp) {
        entered.remove(qp);
    }

    /** An index for a queue pair, the lowest that is free; until {@link #detach}. */
    synchronized int claim() {
        int at = claimed.nextClearBit(0);
        if (at == attached.length) {
            attached = Arrays.copyOf(attached, 2 * at);
        }
        claimed.set(at);
        return at;
    }

    /** Completions find the queue pair under that index from now on. */
    synchronized void attach(int index, Attachment queuePair) {
        @Nullable Attachment[] known = attached;
        known[index] = queuePair;
        attached = known;
    }

    /** The queue pairs, by index. */
    @Nullable Attachment[] attached() {
        return attached;
    }

    /** Frees an index, whether or not a queue pair was attached under it. */
    synchronized void detach(int index) {
        attached[index] = null;
        claimed.clear(index);
    }

    /**
     * Waits until a goal is reached.
     *
     * @param nanos how long at most; Long.MAX_VALUE for no limit
     * @return false if it was not reached in time
     * @throws InterruptedException if the thread was interrupted and the goal is not reached
     * @throws RuntimeException the reason why no more completions come from the CQ
     */
    boolean await(Goal goal, long nanos) throws InterruptedException {
        if (goal.isReached()) {
            return true;
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long deadline = nanos == Long.MAX_VALUE ? 0 : System.nanoTime() + nanos;
        int led = lead(goal, nanos, deadline, null);
        return led == NONE ? follow(goal, nanos, deadline) : led == REACHED;
    }

    /**
     * Waits without a limit. An interrupt is kept for later; the end of the CQ ends the wait.
     *
     * @return whether the goal was reached
     */
    boolean awaitQuietly(Goal goal) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return await(goal, Long.MAX_VALUE);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (IllegalStateException | VerbsException e) {
                    return false; // nothing comes any more
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean follow(Goal goal, long nanos, long deadline) throws InterruptedException {
        Parked me = Parked.undated(goal);
        try {
            waiting.join(me);
            goal.enlist(me);
            for (; ; ) {
                if (goal.isReached()) {
                    return true;
                }
                int led = leader == null ? lead(goal, nanos, deadline, me) : NONE;
                if (led != NONE) {
                    return led == REACHED;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (nanos == Long.MAX_VALUE) {
                    LockSupport.park(this);
                } else {
                    long left = deadline - System.nanoTime();
                    if (left <= 0) {
                        return false;
                    }
                    LockSupport.parkNanos(this, left);
                }
            }
        } finally {
            me.leave();
            goal.leave(me);
            ensureLed();
        }
    }

    /**
     * Takes the lead and waits, in one frame: a lack of stack must not come between the claim and
     * its end.
     *
     * @param me the caller among those that wait; null if it is not among them
     * @return NONE if another thread leads
     */
    private int lead(Goal goal, long nanos, long deadline, @Nullable Parked me)
            throws InterruptedException {
        boolean mine = false;
        try {
            mine = LEADER.compareAndSet(this, null, Thread.currentThread());
            if (!mine) {
                return NONE;
            }
            if (me != null) {
                me.leave();
            }
            dispatch();
            if (goal.isReached()) {
                return REACHED;
            }
            if ((++leads & STREAK - 1) != 0 || nanos < MOMENT.toNanos()) {
                poll();
            }
            while (true) {
                // Before the goal: a thread that posts reaches it, and is no longer near then.
                Duration most = goal.isNear() ? MOMENT : AUDIT;
                if (goal.isReached()) {
                    return REACHED;
                }
                long left = nanos == Long.MAX_VALUE ? nanos : deadline - System.nanoTime();
                if (left <= 0) {
                    return LATE;
                }
                if (ledFor == null) {
                    ledSince = System.nanoTime();
                    ledFor = goal;
                }
                if (pace.letOthersRunAfterBurst()) {
                    poll();
                } else if (!awaitCompletions(
                        left < most.toNanos() ? Duration.ofNanos(left) : most)) {
                    auditIfDue(BATCH);
                }
            }
        } catch (IllegalStateException | VerbsException e) {
            if (goal.isReached()) { // the end of the CQ has reached it, with that cause
                return REACHED;
            }
            throw e;
        } finally {
            if (mine) {
                if (ledFor != null) {
                    ledFor = null;
                }
                leader = null;
                ensureLed();
                dropIfUnused();
            }
        }
    }

    /** The threads that wait for requests or messages of this CQ, and what each waits for. */
    private List<WaitStats> waits() {
        List<WaitStats> all = new ArrayList<>();
        Goal goal = ledFor;
        long since = ledSince;
        Thread by = leader;
        if (goal != null && by != null) {
            String what = goal.what() + ", and polls " + cq + " for all";
            all.add(Waits.of(by, what, since));
        }
        for (Parked w : waiting.live()) {
            WaitStats wait = w.stats(", of " + cq);
            if (wait != null) {
                all.add(wait);
            }
        }
        return all;
    }

    private void ensureLed() {
        if (leader == null) {
            waiting.wakeNewest();
        }
    }

    private void poll() {
        next = 0;
        try {
            cq.poll(batch);
        } catch (ClosedException | VerbsException e) {
            throw end(e);
        }
        dispatch();
        if ((batches & MANY_BATCHES - 1) == 0) {
            auditIfDue(FEW);
        }
    }

    private boolean awaitCompletions(Duration limit) throws InterruptedException {
        int n;
        next = 0;
        try {
            n = cq.await(batch, 1, limit);
        } catch (IllegalStateException | VerbsException e) { // closed, served, overrun
            next = batch.size();
            throw end(e);
        } catch (InterruptedException e) {
            next = batch.size(); // nothing has come: it may be the last batch
            throw e;
        }
        dispatch();
        if (n > 0) {
            auditIfDue(FEW);
        }
        return n > 0;
    }

    /**
     * The CQ is closed, served or has overrun, or others poll it: nothing can be relied on to come
     * from it any more, for any thread.
     */
    private RuntimeException end(RuntimeException why) {
        for (Attachment a : attached) {
            if (a != null) {
                a.end(this, Breakage.of("its CQ", why));
            }
        }
        waiting.wakeAll();
        return why;
    }

    /** Which batch of completions this is. The leader's, as {@link #pace}. */
    int batchNumber() {
        return batches;
    }

    Pace pace() {
        return pace;
    }

    private void dispatch() {
        int n = batch.size() - next;
        batches += Math.min(n, 1);
        pace.came(n);
        while (next < batch.size()) {
            complete(next);
            next++;
            tally.took();
        }
        waiting.prune(n);
    }

    private void complete(int i) {
        long wrId = batch.wrId(i);
        @Nullable Attachment[] known = attached;
        int index = WrId.index(wrId);
        Attachment a = WrId.isOurs(wrId) && index < known.length ? known[index] : null;
        if (a != null && a.qpNum() == batch.qpNum(i)) {
            a.completed(this, wrId, batch, i);
        } else if (!warned) {
            warned = true;
            LOG.log(
                    System.Logger.Level.WARNING,
                    "lost: {0}, which belongs to no Requests, though {1} is polled for Requests."
                            + " Use another CQ for requests that are posted by hand",
                    batch.get(i),
                    cq);
        }
    }

    /** By time: a leader waits for less where others' completions come, or a thread posts. */
    private void auditIfDue(int most) {
        if (System.nanoTime() - lastAudit >= AUDIT.toNanos()) {
            audit(most);
            IllegalStateException lost = tally.lost();
            if (lost != null) {
                throw end(lost);
            }
        }
    }

    /**
     * Looks for queue pairs that can complete nothing any more. Queries the device for at most
     * {@code most} at a time: each may take 0.1 ms.
     */
    private void audit(int most) {
        lastAudit = System.nanoTime();
        waiting.date(lastAudit);
        @Nullable Attachment[] known = attached;
        int asked = 0;
        for (int i = 0; i < Math.min(known.length, MANY) && asked < most; i++) {
            audited = audited + 1 < known.length ? audited + 1 : 0;
            Attachment a = known[audited];
            if (a != null && a.audit(this)) {
                asked++;
            }
        }
    }
}
