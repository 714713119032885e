package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Counts the events of an object that the application holds, and records whether the object is
 * being destroyed.
 */
public class Ledger {
    /*
     * *** The word ***
     *
     *   bit  0       CLOSING      one closer is at work; nothing is delivered
     *   bit  1       CLOSED       destroyed, finally
     *   bits 2..13   settlements  how often the count ceased to be negative, modulo 2^12
     *   bits 14..31  async        asynchronous events delivered and not acknowledged
     *   bits 32..63  completion   completion events delivered, less those acknowledged or claimed
     *
     *   OPEN    --tryDeliver-->  OPEN, +1        refused from CLOSING on
     *   any     --tryAck n-->    same, -n        n > outstanding: refused
     *   OPEN    --beginClose-->  CLOSING         one wins; the others wait for it
     *   CLOSING --reopen-->      OPEN            timed out, or the device refused
     *   CLOSING --closed-->      CLOSED          only after 0 outstanding
     *
     * Every change but an acknowledgement of completion events is one compare-and-set of the whole
     * word. So a delivery and the start of a close are ordered: either the closer sees the event
     * counted and waits for its acknowledgement, or the delivery is refused. CLOSED therefore
     * implies that everything delivered was acknowledged.
     *
     * *** Acknowledging by addition ***
     *
     * An acknowledgement subtracts first and checks the result afterwards. That is one atomic
     * addition; checking first would move the cache line twice. The completion count has the
     * highest bits of the word, so that it borrows from no other field. Usually enough events were
     * outstanding, and there is nothing else to do: one test of the result (RARE) shows that.
     *
     * If not, the program acknowledges more events than it was given, and the subtraction is only a
     * claim. While the count is negative, some claim is not covered, and no thread can know whose.
     * Each claimer undoes its own claim by compare-and-set, waits for the others to do so, looks
     * again, and subtracts only what is outstanding. Once the count is no longer negative, because
     * others undid their claims or events were delivered, all standing claims are covered, and are
     * acknowledgements from that moment on. So 0 means that nothing is outstanding, and every
     * refused claim was excessive. The number of settlements shows a claimer that there was such a
     * moment since its claim. (After exactly 2^12 settlements, or a multiple, it does not, and a
     * justified acknowledgement may be refused.)
     *
     * A thread that acknowledges more than MOST_CLAIMED events at once checks first, and claims
     * nothing.
     *
     * So a thread waits for another one only in a program that acknowledges too much, and only for
     * a few instructions of the other. A debugger may hold the other thread for long, so the wait
     * is bounded: a thread that has looked MOST_LOOKS times, with naps in between, settles. It sets
     * the count to 0, and the standing claims count as acknowledgements of everything outstanding.
     *
     * An Error, such as a stack overflow, must not separate a claim from undoing it. So both are in
     * one frame: no call between the two needs more stack than the claim did. If the JVM
     * nevertheless finds no stack, for example because it leaves compiled code at that place, the
     * claim is recorded as abandoned, which needs no stack, and the next thread that asks for the
     * count undoes it. (If two threads abandon claims at once, one record may be lost, and other
     * threads settle.)
     *
     * If an acknowledgement throws, nothing was acknowledged. A failure to wake closers is not
     * thrown: they look again by themselves, every LOOK_NANOS. So a thread that settles, or undoes
     * an abandoned claim, does not wake them.
     *
     * *** Waiting ***
     *
     * Closers, the active one and those behind it, park in a stack of nodes. A waiter first pushes
     * its node (a volatile CAS), then reads the word again, then parks; a thread that changes the
     * word (atomically, too) reads the stack afterwards. One of the two sees the other, so no
     * wake-up is lost. An acknowledgement, or an undone claim, looks at the stack only if CLOSING
     * is set and it has brought the counts to 0: the thread that did so owns the wake-up.
     *
     * A node is dead, permanently, once its thread has left. A leaving thread links past every dead
     * node, as FutureTask does. Links lead down and skip only dead nodes, so live nodes stay
     * reachable from each node above them, in whatever order such writes occur. At worst a link
     * brings a dead node back, and the thread that wrote the link then finds that node.
     *
     * An acknowledgement happens-before the return of the close that waited for it.
     */
    private static final long CLOSING = 1;
    private static final long CLOSED = 1 << 1;
    private static final long STATE = CLOSING | CLOSED;
    private static final long SETTLEMENT = 1 << 2;
    private static final long SETTLEMENTS = 0xfff * SETTLEMENT;
    private static final long ASYNC_ONE = 1 << 14;
    private static final long COMPLETION_ONE = 1L << 32;
    private static final long COUNTS = ~(STATE | SETTLEMENTS);

    /**
     * Set in the result of a claim if it was excessive, if the count may have been full, or if a
     * closer waits.
     */
    private static final long RARE = 1L << 63 | 1L << 62 | CLOSING;

    private static final long LOOK_NANOS = 1_000_000_000L;

    /** How often to look, without and with naps in between, before settling for others. */
    private static final int SPINS = 100;

    private static final int MOST_LOOKS = SPINS + 500;
    private static final long NAP_NANOS = 1_000_000;

    /** The most asynchronous events that can be counted. */
    static final int MAX_ASYNC = (1 << 18) - 1;

    /**
     * The largest claim: 2^21 threads can have one at once, and the count is still recognizably
     * negative.
     */
    private static final int MOST_CLAIMED = 1 << 10;

    /**
     * The most completion events that can be counted: bit 62 shows it, whatever is claimed then.
     */
    static final int MOST_OUTSTANDING = (1 << 30) + MOST_CLAIMED;

    /** The result of {@link #tryAck} when it has acknowledged. */
    public static final int ACKED = -1;

    /** The result of {@link #tryAck} when it has acknowledged, and the count was full before. */
    public static final int ACKED_WHEN_FULL = -2;

    /** The result of {@link #tryDeliver} when it has counted the event. */
    static final int DELIVERED = 0;

    /** The result when the object is closing or closed. */
    static final int REFUSED = -1;

    /** The result when no more events can be counted until some are acknowledged. */
    static final int FULL = -2;

    private static final VarHandle WORD;
    private static final VarHandle ABANDONED;
    private static final VarHandle PARKED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(Ledger.class, "word", long.class);
            ABANDONED = lookup.findVarHandle(Ledger.class, "abandoned", int.class);
            PARKED = lookup.findVarHandle(Ledger.class, "parked", Parked.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        // Links the code after an uncovered claim: linking needs more stack than running it.
        new Ledger().tryAck(1);
    }

    /** Read volatile; written only atomically. */
    private volatile long word;

    /** The claims of acknowledgements that ended with an Error, to be undone. */
    private volatile int abandoned;

    /** Top of the stack of waiting closers. Read volatile; written only by compare-and-set. */
    private volatile @Nullable Parked parked;

    /** A closer that waits; {@code thread} turns null, once, when it has left. */
    private static final class Parked {
        private volatile @Nullable Thread thread = Thread.currentThread();
        private volatile @Nullable Parked next;

        /** When its close began. */
        private final long since;

        Parked(long since) {
            this.since = since;
        }
    }

    /**
     * Counts one completion event as delivered, unless the object is closing or closed, or no more
     * can be counted.
     *
     * @return {@link #DELIVERED}, {@link #REFUSED} or {@link #FULL}
     */
    int tryDeliver() {
        long w = word;
        for (; ; ) {
            if ((w & STATE) != 0) {
                return REFUSED;
            }
            if (completionOf(w) == MOST_OUTSTANDING) {
                return FULL;
            }
            long seen = (long) WORD.compareAndExchange(this, w, plus(w, 1));
            if (seen == w) {
                return DELIVERED;
            }
            w = seen;
        }
    }

    /** Counts one asynchronous event as delivered, unless the object is closing or closed. */
    public boolean tryDeliverAsync() {
        long w = word;
        for (; ; ) {
            if ((w & STATE) != 0 || asyncOf(w) == MAX_ASYNC) {
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
     * Acknowledges {@code n} completion events, or, if fewer are outstanding or this throws,
     * changes nothing.
     *
     * @return {@link #ACKED}, {@link #ACKED_WHEN_FULL}, or how many were outstanding
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // an atomic one is a call: see the overview
    public int tryAck(int n) {
        if (n > MOST_CLAIMED) {
            return ackWhatIsThere(n);
        }
        long claim = n * COMPLETION_ONE;
        long claimed = (long) WORD.getAndAdd(this, -claim) - claim;
        if ((claimed & RARE) == 0) {
            return ACKED;
        }
        if (claimed >= 0) {
            // Acknowledged: an Error must not say otherwise, from the call on.
            try {
                wakeIfLast(claimed);
            } catch (Error e) {
                // Such as no stack. Closers look again by themselves.
            }
            return claimed >> 32 == MOST_OUTSTANDING - n ? ACKED_WHEN_FULL : ACKED;
        }
        // Taken back here and not in a method of its own, and not by compare-and-exchange, which
        // is a call where C1 compiles it: see the overview.
        long w;
        long back;
        try {
            do {
                w = word;
                if (((w ^ claimed) & SETTLEMENTS) != 0) {
                    return ACKED;
                }
                back = w + claim;
                back = back < 0 ? back : settled(back);
            } while (!WORD.compareAndSet(this, w, back));
        } catch (Error e) {
            abandoned += n;
            throw e;
        }
        wakeIfLast(back);
        return ackWhatIsThere(n);
    }

    /** Acknowledges without a claim. */
    private int ackWhatIsThere(int n) {
        for (; ; ) {
            long w = wordWithoutDeficit();
            if (completionOf(w) < n) {
                return completionOf(w);
            }
            long left = w - n * COMPLETION_ONE;
            if (WORD.compareAndSet(this, w, left)) {
                try { // as in tryAck
                    wakeIfLast(left);
                } catch (Error e) {
                    // Closers look again by themselves.
                }
                return left >> 32 == MOST_OUTSTANDING - n ? ACKED_WHEN_FULL : ACKED;
            }
        }
    }

    /** The word, once claims were taken back that do not fit. */
    private long wordWithoutDeficit() {
        long w = word;
        return w >= 0 && abandoned == 0 ? w : awaitSettlement();
    }

    private long awaitSettlement() {
        boolean interrupted = false;
        try {
            for (int looks = 0; ; looks++) {
                if (abandoned != 0) {
                    takeBackAbandoned();
                }
                long w = word;
                if (w >= 0) {
                    return w;
                }
                if (looks < SPINS) {
                    Thread.onSpinWait();
                } else if (looks < MOST_LOOKS) {
                    LockSupport.parkNanos(this, NAP_NANOS);
                    interrupted |= Thread.interrupted();
                } else {
                    long now = plus(w, -completionOf(w));
                    if (WORD.compareAndSet(this, w, now)) {
                        return now;
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // as in tryAck
    private void takeBackAbandoned() {
        int n = (int) ABANDONED.getAndSet(this, 0);
        long w;
        try {
            do {
                w = word;
                if (n == 0 || (w & CLOSED) != 0) {
                    return;
                }
            } while (!WORD.compareAndSet(this, w, plus(w, n)));
        } catch (Error e) {
            abandoned += n;
            throw e;
        }
    }

    /** The word after {@code w} when {@code n} are added: all claims fit if that ends a deficit. */
    private static long plus(long w, int n) {
        long next = w + n * COMPLETION_ONE;
        return w >= 0 || next < 0 ? next : settled(next);
    }

    private static long settled(long w) {
        return (w & ~SETTLEMENTS) | ((w + SETTLEMENT) & SETTLEMENTS);
    }

    /**
     * Acknowledges one asynchronous event; changes nothing if none is outstanding.
     *
     * @return {@link #ACKED}, {@link #ACKED_WHEN_FULL}, or 0, which were outstanding
     */
    public int tryAckAsync() {
        long w = word;
        for (; ; ) {
            int outstanding = asyncOf(w);
            if (outstanding == 0) {
                return 0;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w - ASYNC_ONE);
            if (seen == w) {
                try { // as in tryAck
                    wakeIfLast(w - ASYNC_ONE);
                } catch (Error e) {
                    // Closers look again by themselves.
                }
                return outstanding == MAX_ASYNC ? ACKED_WHEN_FULL : ACKED;
            }
            w = seen;
        }
    }

    /**
     * Wakes the closer that waits for this word: the thread that has changed the word to it owns
     * that wake-up.
     */
    private void wakeIfLast(long now) {
        if ((now & CLOSING) != 0 && (now & COUNTS) == 0) {
            try {
                wakeClosers();
            } catch (Error e) {
                // Such as no stack. Closers look again by themselves.
            }
        }
    }

    /** Completion events delivered and not acknowledged. */
    public int outstanding() {
        return completionOf(wordWithoutDeficit());
    }

    /** Asynchronous events delivered and not acknowledged. */
    public int outstandingAsync() {
        return asyncOf(word);
    }

    public boolean isClosed() {
        return (word & CLOSED) != 0;
    }

    public boolean isClosing() {
        return (word & CLOSING) != 0;
    }

    /**
     * Destroys the object once everything that was delivered is acknowledged. Nothing is delivered
     * from here on, unless the close fails. One caller does it; others wait for that one, and take
     * over if it fails. Interruption does not end the wait; it is restored.
     *
     * @param nanos how long to wait; {@link Long#MAX_VALUE} for no limit
     */
    public CloseOutcome close(long nanos, Closer closer) {
        long start = 0; // a close that has nothing to wait for reads no clock
        boolean waits = false;
        while (!beginClose()) {
            if (isClosed()) {
                return CloseOutcome.CLOSED;
            }
            start = waits ? start : System.nanoTime();
            waits = true;
            CloseOutcome waited = await(CLOSING, start, nanos, closer);
            if (waited != CloseOutcome.CLOSED) {
                return waited;
            }
        }
        CloseOutcome outcome = CloseOutcome.REFUSED;
        try {
            CloseOutcome drained = CloseOutcome.CLOSED;
            if ((word & COUNTS) != 0) {
                drained = await(COUNTS, waits ? start : System.nanoTime(), nanos, closer);
            }
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
            if (await(untilZero, Math.min(left, LOOK_NANOS), closer, start)) {
                return CloseOutcome.CLOSED;
            }
            // Not for what was only claimed, and never outstanding.
            if ((wordWithoutDeficit() & untilZero) == 0) {
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
        long w = wordWithoutDeficit();
        for (; ; ) {
            if ((w & STATE) != 0) {
                return false;
            }
            long seen = (long) WORD.compareAndExchange(this, w, w | CLOSING);
            if (seen == w) {
                return true;
            }
            w = seen;
        }
    }

    /** From CLOSING back to OPEN, by the closer; closers behind it try next. */
    private void reopen() {
        leaveClosing(0);
    }

    /** From CLOSING to CLOSED, by the closer, once nothing is outstanding. */
    private void closed() {
        leaveClosing(CLOSED);
    }

    private void leaveClosing(long state) {
        long w = word;
        for (; ; ) {
            if ((w & CLOSING) == 0) {
                throw new IllegalStateException("not closing: " + this);
            }
            long seen = (long) WORD.compareAndExchange(this, w, (w & ~STATE) | state);
            if (seen == w) {
                break;
            }
            w = seen;
        }
        wakeClosers();
    }

    private boolean await(long untilZero, long nanos, Closer closer, long since) {
        if ((word & untilZero) == 0) {
            return true;
        }
        if (nanos <= 0) {
            return false;
        }
        Parked me = new Parked(since);
        boolean interrupted = false;
        long start = System.nanoTime();
        push(me);
        try {
            while ((word & untilZero) != 0) {
                long left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return false;
                }
                LockSupport.parkNanos(closer, left); // a thread dump shows its class
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

    /** The threads whose close waits now, the latest first. */
    public final List<Waiting> closers() {
        List<Waiting> all = new ArrayList<>();
        for (Parked p = parked; p != null; p = p.next) {
            Thread thread = p.thread;
            if (thread != null) {
                all.add(new Waiting(thread, p.since));
            }
        }
        return all;
    }

    private void wakeClosers() {
        for (Parked p = parked; p != null; p = p.next) {
            LockSupport.unpark(p.thread);
        }
    }

    private static int completionOf(long w) {
        return (int) (w >> 32);
    }

    private static int asyncOf(long w) {
        return (int) w >>> 14;
    }

    @Override
    public String toString() {
        long w = wordWithoutDeficit();
        String state = (w & CLOSED) != 0 ? "closed" : (w & CLOSING) != 0 ? "closing" : "open";
        return state
                + ", "
                + completionOf(w)
                + " completion and "
                + asyncOf(w)
                + " asynchronous events unacknowledged";
    }
}
