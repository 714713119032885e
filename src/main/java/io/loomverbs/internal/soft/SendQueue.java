package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SendWr;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;

/** The send queue of a queue pair, and the engine that executes its requests. */
@SuppressWarnings("serial") // see Mutex
final class SendQueue extends Mutex {
    /*
     * Running the queue
     *
     * The queue has no thread. A thread that has news for the queue (a new request, a changed
     * state, an alarm) leaves a signal. If it finds the queue IDLE, it runs the queue until no
     * signal is left:
     *
     *   IDLE    -> AGAIN     signal; the caller becomes the runner
     *   AGAIN   -> RUNNING   the runner is about to look
     *   RUNNING -> AGAIN     signal; the runner will look once more
     *   RUNNING -> IDLE      nothing came since the runner began to look
     *
     * So requests are executed one after the other, in order, and no thread waits for another. A
     * runner that has served others for long enough passes its role to the retry thread, where
     * queues take turns. Whatever a step throws, the runner continues: it keeps the failure in
     * `crash` until the queue pair is in ERR, and then flushes.
     *
     * Locking
     *
     * The runner executes a few requests at a time under the lock of this object. modify and
     * destroy take this lock, too: they take effect between two requests, and once they have
     * returned, no memory is accessed on behalf of the old state. DeferredNotifications calls
     * listeners after the lock is released.
     *
     * Stalls
     *
     * A request whose peer does not answer, or has no receive buffer, stays at the head, with a
     * Stall. The runner stops. The timer of the stall, or a kick by the peer when it becomes ready,
     * signals the queue. `kicked` is cleared before an attempt, never after, so that no kick is
     * lost: AGAIN keeps the signal of a later kick.
     */
    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int AGAIN = 2;

    /** Requests executed under one hold of the lock. */
    private static final int BATCH = 16;

    /** Rounds after which a runner passes its role on. */
    private static final int PATIENCE = 256;

    /**
     * How often in succession a thread may fail, such as for lack of stack, before another one
     * runs.
     */
    private static final int MOST_FAILURES = 1000;

    private static final VarHandle TURN;

    static {
        try {
            TURN = MethodHandles.lookup().findVarHandle(SendQueue.class, "turn", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SoftQp qp;
    private final Transport transport;
    private final SlotRing<SendSlot> ring;
    private final int depth;
    private final boolean strict;

    /**
     * In strict mode the position up to which completions were polled: only then are places free.
     * Written under the lock of the CQ, or of {@code ring} when there is nothing to poll.
     */
    private volatile int polled;

    /** READs and atomics that were answered. Under the lock. */
    private int fetched;

    /** Of these, how many a fence has waited for. Under the lock. */
    private int awaited;

    /** In strict mode, of how many of these the program knows. As {@link #polled}. */
    private volatile int polledFetches;

    /** IDLE, RUNNING or AGAIN; by atomic operations only. */
    private volatile int turn;

    /** The peer has become ready since the last attempt. */
    private volatile boolean kicked;

    /** The runner's; passed on with its role. */
    private @Nullable DeferredNotifications after;

    /**
     * The exception of a step, until the queue pair has failed because of it. The runner's, too.
     */
    private @Nullable Throwable crash;

    private @Nullable Stall stall;

    /**
     * The queue that was last asked to notify this one of its next buffer; held weakly. Under the
     * lock.
     */
    private @Nullable WeakReference<SoftSrq> starvedAt;

    /**
     * The effects of the context's faults; null before the first. Under the lock of {@code ring}.
     */
    private @Nullable SendFaults faults;

    /** Whether SQ_DRAINED is due when the request at the head is done. */
    private boolean tellDrained;

    SendQueue(SoftQp qp, int depth) {
        this.qp = qp;
        this.transport = Transport.of(qp.type);
        this.ring = new SlotRing<>(depth, SendSlot::new);
        this.depth = depth;
        this.strict = qp.device.strict;
    }

    /** A chain; if this throws, such as for lack of memory, nothing of it is posted. */
    long post(SendWr first) {
        long result = append(first);
        if (result == PostResult.OK || PostResult.accepted(result) > 0) {
            signal();
        }
        return result;
    }

    /** Nothing may fail between the publication of requests and their signal. */
    private long append(SendWr first) {
        ring.lock();
        try {
            if (qp.state() < Ibv.QPS_RTS) {
                return PostResult.failed(Errno.EINVAL, 0);
            }
            int errno = 0;
            int filled = 0;
            for (SendWr wr = first; wr != null; wr = wr.next()) {
                errno = fill(wr, filled);
                if (errno != 0) {
                    break;
                }
                filled++;
            }
            ring.publish(filled);
            return errno == 0 ? PostResult.OK : PostResult.failed(errno, filled);
        } finally {
            ring.unlock();
        }
    }

    /** Copies a request behind {@code filled} others of its chain. */
    private int fill(SendWr wr, int filled) {
        int errno = SendRules.check(qp, wr);
        if (errno != 0) {
            return errno;
        }
        int position = ring.tail() + filled;
        SendSlot slot = strict && position - polled >= depth ? null : ring.claim(filled);
        if (slot == null) {
            return Errno.ENOMEM;
        }
        if (wr.ah() instanceof SoftAh ah) {
            slot.fillUd(wr, ah);
        } else {
            slot.fill(wr);
        }
        FaultPlan plan = qp.pd.faults.plan();
        if (plan != null && faults == null) {
            faults = new SendFaults(qp);
        }
        slot.dueNanos = faults == null ? 0 : faults.due(plan, position);
        return 0;
    }

    /** Signals the queue: this thread or the current runner looks at it. Holds no lock. */
    void signal() {
        // A strict device has done nothing yet when a post returns.
        if ((int) TURN.getAndSet(this, AGAIN) == IDLE && !(strict && handOn())) {
            runGuarded();
        }
    }

    private void runGuarded() {
        boolean ran = false;
        try {
            run();
            ran = true;
        } finally {
            if (!ran) {
                TURN.setVolatile(this, IDLE); // no stack left: the next signal finds no runner
            }
        }
    }

    /** The peer is ready: a stalled request is tried again at once. Holds no lock. */
    void kick() {
        if (!strict) { // a strict device notices that when it tries again
            kicked = true;
            signal();
        } else if (qp.device.timer.hasFailed()) {
            signal(); // its alarm may not be set
        }
    }

    /** Takes note where it waits for a buffer. By the runner. */
    void starvedAt(SoftSrq srq) {
        starvedAt = new WeakReference<>(srq);
    }

    private void run() {
        int rounds = 0;
        int failures = 0;
        do {
            TURN.setVolatile(this, RUNNING);
            boolean more = true;
            while (more) {
                try {
                    more = step();
                    failures = 0;
                } catch (RuntimeException | Error e) {
                    if (crash == null) {
                        crash = e;
                    }
                    more = true;
                    if (++failures >= MOST_FAILURES) {
                        throw e; // this thread's: the next runner goes on
                    }
                }
                if (++rounds >= PATIENCE && handOn()) {
                    return;
                }
            }
        } while (!TURN.compareAndSet(this, RUNNING, IDLE));
    }

    private boolean step() {
        DeferredNotifications now = after;
        if (now == null) {
            now = new DeferredNotifications();
            after = now;
        }
        if (crash != null) {
            qp.crashed(crash, now);
            crash = null;
        }
        boolean more = work(now);
        now.run();
        return more;
    }

    /** Makes the retry thread the runner; false if that has failed. */
    private boolean handOn() {
        try {
            qp.device.timer.now(this::runGuarded);
            return true;
        } catch (RuntimeException | Error noThread) {
            return false;
        }
    }

    /** Executes some requests; false if there is nothing to do now. */
    private boolean work(DeferredNotifications after) {
        lock();
        try {
            for (int i = 0; i < BATCH && after.isEmpty(); i++) {
                SendSlot wr = ring.peek();
                if (wr == null) {
                    return false;
                }
                int state = qp.state();
                if (qp.pd.faults.isDeviceLost()) {
                    endStall();
                    ring.advance(); // nothing completes any more
                } else if (state == Ibv.QPS_ERR || state == Ibv.QPS_SQE) {
                    endStall();
                    tellDrained = false;
                    complete(wr, Ibv.WC_WR_FLUSH_ERR, after);
                } else if (state != Ibv.QPS_RTS && (state != Ibv.QPS_SQD || stall == null)) {
                    return false;
                } else if (!attempt(wr, after)) {
                    return false;
                }
            }
            return true;
        } finally {
            unlock();
        }
    }

    /** Tries to execute the oldest request; false if it stays where it is. */
    private boolean attempt(SendSlot wr, DeferredNotifications after) {
        if (wr.dueNanos != 0 && !faults().isDue(wr, this::signal)) {
            return false;
        }
        Stall s = stall;
        boolean expired = s != null && s.expired();
        if (s != null && !expired && (!kicked || s.isLost())) {
            s.ensureAlarm();
            return false;
        }
        if (kicked) {
            kicked = false;
        }
        if (wr.fenced()) {
            awaited = fetched;
        }
        int outcome = execute(wr, after);
        while (outcome == Transport.SEQUENCE_NAK) {
            outcome = stall().retriesLeft-- == 0 ? Ibv.WC_RETRY_EXC_ERR : execute(wr, after);
        }
        if (outcome < 0) {
            outcome = stall().waitOrGiveUp(outcome, expired, qp.attr);
            if (outcome < 0) {
                return false;
            }
        }
        if (s != null || stall != null) {
            endStall();
        }
        if (outcome != Ibv.WC_SUCCESS) {
            tellDrained = false;
            failed(wr, outcome, after);
            return true;
        }
        qp.attr.sqPsn = Psn.plus(qp.attr.sqPsn, qp.packetsOf(wr));
        if (wr.fetches()) {
            fetched++;
        }
        complete(wr, outcome, after);
        if (tellDrained) {
            tellDrained = false;
            after.tell(qp.events, Ibv.EVENT_SQ_DRAINED);
        }
        return true;
    }

    private int execute(SendSlot wr, DeferredNotifications after) {
        FaultPlan plan = qp.pd.faults.plan();
        int fault = plan == null ? SendFaults.NONE : faults().outcome(plan, wr, ring.head(), after);
        if (fault != SendFaults.NONE) {
            return fault;
        }
        return wr.isLocal() ? SoftMw.execute(qp, wr) : transport.execute(qp, wr, after);
    }

    private SendFaults faults() {
        ring.lock();
        try {
            SendFaults f = faults;
            if (f == null) {
                f = new SendFaults(qp);
                faults = f;
            }
            return f;
        } finally {
            ring.unlock();
        }
    }

    /**
     * Ends the oldest request with a status, and with it the queue pair. Holds no lock.
     *
     * @return 0 or a negative errno
     */
    int kill(int status) {
        DeferredNotifications killed = new DeferredNotifications();
        try {
            lock();
            try {
                return kill(status, killed);
            } finally {
                unlock();
            }
        } finally {
            killed.run();
        }
    }

    private int kill(int status, DeferredNotifications killed) {
        qp.rq.lock();
        try {
            if (qp.state() <= Ibv.QPS_RESET) {
                return -Errno.EINVAL;
            }
            SendSlot oldest = qp.state() == Ibv.QPS_ERR ? null : ring.peek();
            if (oldest != null) {
                endStall();
                tellDrained = false;
                complete(oldest, status, killed);
            }
            qp.enterError(oldest == null ? Ibv.EVENT_QP_FATAL : SoftQp.NO_EVENT, killed);
            return 0;
        } finally {
            qp.rq.unlock();
        }
    }

    private Stall stall() {
        Stall s = stall;
        if (s == null) {
            s = new Stall(qp.device.timer, this::signal, qp.attr.retryCnt, qp.attr.rnrRetry);
            stall = s;
        }
        return s;
    }

    private void endStall() {
        if (stall != null) {
            stall.end();
            stall = null;
        }
    }

    /** Takes the oldest request off the queue and reports it if that was asked for. */
    private void complete(SendSlot wr, int status, DeferredNotifications after) {
        long wrId = wr.wrId;
        int length = wr.isAtomic() ? Long.BYTES : (int) wr.length;
        int opcode = wr.completionOpcode();
        boolean signaled =
                qp.sqSigAll || (wr.flags & Ibv.SEND_SIGNALED) != 0 || status != Ibv.WC_SUCCESS;
        if (!signaled) {
            ring.advance();
            return;
        }
        SoftCq cq = qp.sendCq;
        SoftWc wc = after.completion().set(qp.qpNum(), wrId, status, opcode, length);
        wc.polled = strict ? polledUpTo(ring.head() + 1, fetched) : null;
        ring.advance(); // after what takes memory, and before a thread learns of it
        after.added(cq, cq.add(wc));
    }

    private Runnable polledUpTo(int position, int fetches) {
        return () -> freeUpTo(position, fetches);
    }

    private void freeUpTo(int position, int fetches) {
        polledFetches = fetches;
        polled = position;
    }

    /**
     * How many READs and atomics the peer has to keep resources for, if this is the next. They are
     * executed one after the other, so it is one; but in strict mode those that may be outstanding
     * as far as the program can know count, too. Under the lock.
     */
    int fetchesUnderWay() {
        int before = strict ? Math.min(fetched - awaited, fetched - polledFetches) : 0;
        return Math.min(before + 1, qp.attr.maxRdAtomic);
    }

    /*
     * The completion and the new state are both set under the lock of rq. A thread that has seen
     * the completion and acts upon the state takes a lock that is held here, and so finds the new
     * state.
     */
    private void failed(SendSlot wr, int status, DeferredNotifications after) {
        qp.rq.lock();
        try {
            complete(wr, status, after);
            if (qp.leaveRts()) {
                qp.rq.flush(after);
            }
        } finally {
            qp.rq.unlock();
        }
    }

    /** Whether nothing is under way; if asked to, raises the event when that becomes so. */
    void drain(boolean notify, DeferredNotifications after) {
        if (stall != null) {
            tellDrained = notify;
        } else if (notify) {
            after.tell(qp.events, Ibv.EVENT_SQ_DRAINED);
        }
    }

    boolean draining() {
        return stall != null;
    }

    /**
     * Leaves SQE: the requests that were posted until now are not executed. They are at most as
     * many as the queue holds, however fast other threads post. Under the locks of the queue pair.
     */
    void flush(DeferredNotifications after) {
        endStall();
        tellDrained = false;
        SendSlot wr = ring.peek();
        for (int left = depth; wr != null && left > 0; left--) {
            complete(wr, Ibv.WC_WR_FLUSH_ERR, after);
            wr = ring.peek();
        }
    }

    /** Forgets everything. In a state that refuses further requests. */
    void discard() {
        endStall();
        tellDrained = false;
        kicked = false;
        awaited = fetched;
        stopStarving();
        ring.lock();
        try {
            if (faults != null) {
                faults.end();
            }
            ring.clear();
            polled = ring.tail();
        } finally {
            ring.unlock();
        }
    }

    /** Ends that a peer keeps this queue to notify it of a buffer. */
    private void stopStarving() {
        SoftQp peer = qp.device.qps.find(qp.attr.destQpNum);
        if (peer != null) {
            peer.rq.forget(this);
        }
        SoftSrq srq = starvedAt == null ? null : starvedAt.get();
        if (srq != null) {
            srq.forget(this);
        }
        starvedAt = null;
    }
}
