package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * How many events of an object the application holds, and whether the object is being destroyed.
 */
public final class Ledger {
    /*
     * *** The word ***
     *
     *   bit  63      CLOSED       destroyed; for ever
     *   bit  62      CLOSING      one closer is at work; nothing is delivered
     *   bits 32..61  async        asynchronous events delivered and not acknowledged
     *   bits  0..31  completion   completion events delivered and not acknowledged
     *
     *   OPEN    --tryDeliver-->  OPEN, +1        refused from CLOSING on
     *   any     --tryAck n-->    same, -n        n > outstanding: refused, nothing changed
     *   OPEN    --beginClose-->  CLOSING         one wins; the others wait for it
     *   CLOSING --reopen-->      OPEN            timed out, or the device said no
     *   CLOSING --closed-->      CLOSED          only at 0 outstanding
     *
     * Every change is one compare-and-set of the whole word. So a delivery and the start of a close
     * are ordered: either the closer sees the event counted and waits for its acknowledgement, or the
     * delivery is refused. CLOSED therefore implies that everything delivered was acknowledged.
     *
     * *** Waiting ***
     *
     * Closers, the one at work and those behind it, park in a stack of nodes. A waiter first pushes
     * its node (a volatile CAS), then reads the word again, then parks; whoever changes the word (a
     * CAS as well) afterwards reads the stack. One of the two must see the other, so no wake-up is
     * lost. An acknowledgement looks at the stack only if it finds CLOSING set and brings the count to
     * 0: whoever brought it there owns the wake-up.
     *
     * A node is dead once its thread has left, for ever. Whoever leaves links past every dead node, as
     * FutureTask does. Links lead down and skip only dead nodes, so the living stay reachable from each
     * node above them, whatever order such writes come in; a link can at worst bring a dead node back,
     * and the one who wrote it then finds it.
     *
     * An acknowledgement happens-before the return of the close that it let through.
     */
    private static final long CLOSED = 1L << 63;
    private static final long CLOSING = 1L << 62;
    private static final long ASYNC_ONE = 1L << 32;
    private static final long COUNTS = CLOSING - 1;
    private static final long COMPLETION_MASK = ASYNC_ONE - 1;
    private static final long LOOK_NANOS = 1_000_000_000L;
    private static final int MAX_ASYNC = (1 << 30) - 1;

    /** What {@link #tryAck} answers when it has acknowledged. */
    public static final int ACKED = -1;

    /** What {@link #tryAck} answers when it has acknowledged, and until then there was no room. */
    static final int ACKED_WHEN_FULL = -2;

    /** What {@link #tryDeliver} answers when the object is closing or closed. */
    public static final int REFUSED = -1;

    /** What it answers when no more can be counted before some are acknowledged. */
    static final int FULL = -2;

    private static final VarHandle WORD;
    private static final VarHandle PARKED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(Ledger.class, "word", long.class);
            PARKED = lookup.findVarHandle(Ledger.class, "parked", Parked.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Read volatile; written only by compare-and-set. */
    private volatile long word;

    /** Top of the stack of waiting closers. Read volatile; written only by compare-and-set. */
    private volatile @Nullable Parked parked;

    /** A closer that waits; {@code thread} turns null, once, when it has left. */
    private static final class Parked {
        private volatile @Nullable Thread thread = Thread.currentThread();
        private volatile @Nullable Parked next;
    }

    /**
     * Counts one completion event as delivered, unless the object is closing or closed, or no more
     * can be counted.
     *
     * @return how many were outstanding before, {@link #REFUSED} or {@link #FULL}
     */
    public int tryDeliver() {
        long w = word;
        for (; ; ) {
            if (w < 0 || (w & CLOSING) != 0) {
                return REFUSED;
            }
            if ((w & COMPLETION_MASK) == Integer.MAX_VALUE) {
                return FULL;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w + 1);
            if (seen == w) {
                return (int) w;
            }
            w = seen;
        }
    }

    /** Counts one asynchronous event as delivered, unless the object is closing or closed. */
    public boolean tryDeliverAsync() {
        long w = word;
        for (; ; ) {
            if (w < 0 || (w & CLOSING) != 0 || asyncOf(w) == MAX_ASYNC) {
                return false;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w + ASYNC_ONE);
            if (seen == w) {
                return true;
            }
            w = seen;
        }
    }

    /**
     * Acknowledges {@code n} completion events, or, if fewer are outstanding, changes nothing.
     *
     * @return {@link #ACKED}, {@link #ACKED_WHEN_FULL}, or how many were outstanding
     */
    public int tryAck(int n) {
        long w = word;
        for (; ; ) {
            if ((w & COMPLETION_MASK) < n) {
                return (int) w;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w - n);
            if (seen == w) {
                break;
            }
            w = seen;
        }
        if ((w & CLOSING) != 0 && (w & COUNTS) == n) {
            wakeClosers();
        }
        return (w & COMPLETION_MASK) == Integer.MAX_VALUE ? ACKED_WHEN_FULL : ACKED;
    }

    /**
     * Acknowledges one asynchronous event; answers false, changing nothing, if none is outstanding.
     */
    public boolean tryAckAsync() {
        long w = word;
        for (; ; ) {
            if (asyncOf(w) == 0) {
                return false;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w - ASYNC_ONE);
            if (seen == w) {
                break;
            }
            w = seen;
        }
        if ((w & CLOSING) != 0 && (w & COUNTS) == ASYNC_ONE) {
            wakeClosers();
        }
        return true;
    }

    /** Completion events delivered and not acknowledged. */
    public int outstanding() {
        return (int) word;
    }

    /** Asynchronous events delivered and not acknowledged. */
    public int outstandingAsync() {
        return asyncOf(word);
    }

    public boolean isClosed() {
        return word < 0;
    }

    public boolean isClosing() {
        return (word & CLOSING) != 0;
    }

    /**
     * Destroys the object once everything that was delivered is acknowledged. Nothing is delivered
     * from here on, unless the close fails. One caller does it; others wait for that one, and take
     * over if it fails. Interruption does not end the wait; it is restored.
     *
     * @param nanos how long to wait; {@link Long#MAX_VALUE} for ever
     */
    public CloseOutcome close(long nanos, Closer closer) {
        long start = System.nanoTime();
        while (!beginClose()) {
            if (isClosed()) {
                return CloseOutcome.CLOSED;
            }
            CloseOutcome waited = await(CLOSING, start, nanos, closer);
            if (waited != CloseOutcome.CLOSED) {
                return waited;
            }
        }
        CloseOutcome outcome = CloseOutcome.REFUSED;
        try {
            CloseOutcome drained = await(COUNTS, start, nanos, closer);
            if (drained != CloseOutcome.CLOSED || closer.destroy()) {
                outcome = drained;
            }
        } finally {
            if (outcome == CloseOutcome.CLOSED) {
                closed();
            } else {
                reopen();
            }
        }
        return outcome;
    }

    /**
     * Waits in slices, asking between them whether to go on; CLOSED when there is nothing to wait
     * for.
     */
    private CloseOutcome await(long untilZero, long start, long nanos, Closer closer) {
        for (; ; ) {
            long left = nanos - (System.nanoTime() - start);
            if (await(untilZero, Math.min(left, LOOK_NANOS))) {
                return CloseOutcome.CLOSED;
            }
            long waited = System.nanoTime() - start;
            if (waited >= nanos) {
                return CloseOutcome.TIMED_OUT;
            }
            if (!closer.keepWaiting(waited)) {
                return CloseOutcome.GAVE_UP;
            }
        }
    }

    /** From OPEN to CLOSING: true makes the caller the one closer. */
    private boolean beginClose() {
        long w = word;
        for (; ; ) {
            if (w < 0 || (w & CLOSING) != 0) {
                return false;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w | CLOSING);
            if (seen == w) {
                return true;
            }
            w = seen;
        }
    }

    /** From CLOSING back to OPEN, by the closer; those who waited behind it try next. */
    private void reopen() {
        long w = word;
        for (; ; ) {
            if ((w & CLOSING) == 0) {
                throw new IllegalStateException("not closing: " + this);
            }
            long seen = (long) WORD.compareAndExchange(this, w, w & ~CLOSING);
            if (seen == w) {
                break;
            }
            w = seen;
        }
        wakeClosers();
    }

    /** From CLOSING to CLOSED, by the closer, once nothing is outstanding. */
    private void closed() {
        if (!WORD.compareAndSet(this, CLOSING, CLOSED)) {
            throw new IllegalStateException("not closing, or events are outstanding: " + this);
        }
        wakeClosers();
    }

    private boolean await(long untilZero, long nanos) {
        if ((word & untilZero) == 0) {
            return true;
        }
        if (nanos <= 0) {
            return false;
        }
        Parked me = new Parked();
        boolean interrupted = false;
        long start = System.nanoTime();
        push(me);
        try {
            while ((word & untilZero) != 0) {
                long left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return false;
                }
                LockSupport.parkNanos(this, left);
                // While interrupted, park returns at once: the status is put aside, not polled.
                interrupted |= Thread.interrupted();
            }
            return true;
        } finally {
            me.thread = null;
            unlinkDead();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void push(Parked node) {
        Parked top;
        do {
            top = parked;
            node.next = top;
        } while (!PARKED.compareAndSet(this, top, node));
    }

    private void unlinkDead() {
        boolean again;
        do {
            again = false;
            Parked above = null;
            Parked next;
            for (Parked p = parked; p != null && !again; p = next) {
                next = p.next; // read once: what is linked below is what is looked at next
                if (p.thread != null) {
                    above = p;
                } else if (above == null) {
                    again = !PARKED.compareAndSet(this, p, next);
                } else {
                    above.next = next;
                    again = above.thread == null; // it may be unlinked by now, and this with it
                }
            }
        } while (again);
    }

    private void wakeClosers() {
        for (Parked p = parked; p != null; p = p.next) {
            LockSupport.unpark(p.thread);
        }
    }

    private static int asyncOf(long w) {
        return (int) (w >>> 32) & MAX_ASYNC;
    }

    @Override
    public String toString() {
        long w = word;
        String state = w < 0 ? "closed" : (w & CLOSING) != 0 ? "closing" : "open";
        return state
                + ", "
                + (int) w
                + " completion and "
                + asyncOf(w)
                + " asynchronous events unacknowledged";
    }
}
