package io.loomverbs.blocking;

import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One request of a send queue, from its description to its outcome. A blocking call gives it back
 * to be used again once it has seen the outcome; then nothing else refers to it any more.
 */
final class Request implements Goal {
    /*
     * QUEUED -> COMMITTED   by the poster, which posts it next
     * QUEUED -> CANCELLED   by a caller that gave up: it will never be posted
     *
     * `top` is the stack of waiters, or DONE. The outcome is written before DONE, by an exchange
     * that takes all waiters. A waiter pushes itself, then looks for DONE: one of both sees the
     * other. After the exchange, the thread that completes the request touches it no more.
     */
    private static final int QUEUED = 0;
    private static final int COMMITTED = 1;
    private static final int CANCELLED = 2;
    private static final Parked DONE = new Parked(null);
    private static final VarHandle PHASE;
    private static final VarHandle TOP;
    private static final VarHandle POSITION;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PHASE = lookup.findVarHandle(Request.class, "phase", int.class);
            TOP = lookup.findVarHandle(Request.class, "top", Parked.class);
            POSITION = lookup.findVarHandle(Request.class, "position", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final SendWorkRequest wr;
    private final SendSide side;

    /** Whether {@link #wr} can be described again by a later call. */
    final boolean reusable;

    Op op = Op.OTHER;
    int bytes;
    @Nullable RemoteRegion remote;

    /** For an atomic: the expected value, and the new one or the number to add. */
    long expected;

    long operand;
    private @Nullable Loan loan;

    /** The next one in the queue of the poster. */
    @Nullable Request next;

    /** Where it is in the send queue; -1 before it is posted. Written by the poster. */
    volatile long position = -1;

    /** The previous value, the result of an atomic. Written before DONE. */
    long result;

    /** Null for success. Written before DONE. */
    private @Nullable Breakage breakage;

    private @Nullable RuntimeException refusal;
    private WcStatus status = WcStatus.SUCCESS;

    /** A thread waits until it is posted, besides those that wait until it is done. */
    volatile boolean tellPosted;

    private volatile int phase;
    private volatile @Nullable Parked top;

    Request(SendSide side, SendWorkRequest wr, boolean reusable) {
        this.side = side;
        this.wr = wr;
        this.reusable = reusable;
    }

    /** Makes it as new, but for the description. Only the caller knows it until it is submitted. */
    void reset(Op newOp) {
        op = newOp;
        bytes = 0;
        remote = null;
        loan = null;
        next = null;
        POSITION.set(this, -1L);
        breakage = null;
        refusal = null;
        status = WcStatus.SUCCESS;
        if (tellPosted) {
            tellPosted = false;
        }
        PHASE.set(this, QUEUED);
        TOP.set(this, null);
    }

    /** The poster is about to post it there. */
    void placeAt(long at) {
        POSITION.setRelease(this, at);
    }

    /** The caller itself is about to post it, so no thread cancels it meanwhile. */
    void commitOwn() {
        PHASE.setRelease(this, COMMITTED);
    }

    RemoteRegion remote() {
        RemoteRegion r = remote;
        if (r == null) {
            throw new AssertionError("not an operation on remote memory");
        }
        return r;
    }

    /** Keeps the memory of a buffer from being lent to others before this is done. */
    void uses(Loan lent) {
        loan = lent;
    }

    /** The poster is about to post it; false if it was cancelled. */
    boolean commit() {
        return phase == COMMITTED || PHASE.compareAndSet(this, QUEUED, COMMITTED);
    }

    boolean isQueued() {
        return phase == QUEUED;
    }

    boolean isCancelled() {
        return phase == CANCELLED;
    }

    /** Takes it back; false if it is posted, or being posted. */
    boolean cancel() {
        if (!PHASE.compareAndSet(this, QUEUED, CANCELLED)) {
            return false;
        }
        releaseLoan();
        return true;
    }

    boolean isDone() {
        return top == DONE;
    }

    /** The device has done it. True if a thread was woken. */
    boolean succeed() {
        return done();
    }

    /** The device has failed or flushed it. */
    void fail(Breakage by, WcStatus own) {
        breakage = by;
        status = own;
        done();
    }

    /** It was not posted, and never will be. */
    void refuse(RuntimeException why) {
        refusal = why;
        done();
    }

    private boolean done() {
        releaseLoan();
        Parked w = (Parked) TOP.getAndSet(this, DONE);
        boolean woken = w != null;
        while (w != null) {
            Parked below = w.below;
            w.wake();
            w = below;
        }
        return woken;
    }

    private void releaseLoan() {
        Loan used = loan;
        if (used != null) {
            loan = null;
            used.release();
        }
    }

    /** Wakes the threads that wait; they look again. Only called while the request is not done. */
    void wakeStarter() {
        Parked w = top;
        if (w != DONE) {
            for (; w != null; w = w.below) {
                w.wake();
            }
        }
    }

    /** Throws if the request has failed. After {@link #isDone()}. */
    void check() {
        if (refusal != null) {
            throw refusal;
        }
        if (breakage != null) {
            throw new RequestFailedException(
                    side + ": " + breakage.explain(this, status), breakage, status);
        }
    }

    boolean hasSucceeded() {
        return refusal == null && breakage == null;
    }

    /** Reads nothing that the describing thread could have written only half. */
    @Override
    public String what() {
        String size = op == Op.OTHER ? "" : " of " + bytes + " bytes";
        return "a " + op + size + " over " + side;
    }

    @Override
    public boolean isReached() {
        return top == DONE;
    }

    /**
     * Waiters that gave up are dropped: a thread that waits in short steps must not pile them up.
     */
    @Override
    public void enlist(Parked w) {
        Parked t;
        do {
            t = top;
            if (t == DONE) {
                return;
            }
            Parked live = t;
            while (live != null && live.gone) {
                live = live.below;
            }
            w.below = live;
        } while (!TOP.compareAndSet(this, t, w));
    }

    @Override
    public void leave(Parked w) {
        // It is dropped when the next one comes, or when the request is done.
    }

    /** The poster may refuse it. */
    @Override
    public boolean isNear() {
        return side.isPosting() && !side.hasAccepted(position);
    }

    @Override
    public String toString() {
        String text = op == Op.OTHER ? wr.toString() : op + " of " + bytes + " bytes";
        return remote == null ? text : text + (op == Op.READ ? " from " : " to ") + remote;
    }
}
