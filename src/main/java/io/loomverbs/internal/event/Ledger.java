package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * How many events of an object the application holds, and whether the object is being destroyed.
 */
public class Ledger {
    /*
     * *** The word ***
     *
     *   bit  0       CLOSING      one closer is at work; nothing is delivered
     *   bit  1       CLOSED       destroyed; for ever
     *   bits 2..13   settlements  how often the count was negative and is not any more, modulo 2^12
     *   bits 14..31  async        asynchronous events delivered and not acknowledged
     *   bits 32..63  completion   completion events delivered, less those acknowledged or claimed
     *
     *   OPEN    --tryDeliver-->  OPEN, +1        refused from CLOSING on
     *   any     --tryAck n-->    same, -n        n > outstanding: refused
     *   OPEN    --beginClose-->  CLOSING         one wins; the others wait for it
     *   CLOSING --reopen-->      OPEN            timed out, or the device said no
     *   CLOSING --closed-->      CLOSED          only after 0 outstanding
     *
     * Every change but an acknowledgement of completion events is one compare-and-set of the whole
     * word. So a delivery and the start of a close are ordered: either the closer sees the event counted
     * and waits for its acknowledgement, or the delivery is refused. CLOSED therefore implies that
     * everything delivered was acknowledged.
     *
     * *** Acknowledging by addition ***
     *
     * An acknowledgement subtracts first and looks afterwards at what was there. That is one atomic
     * addition, where a look before it would have the cache line come twice. The completion count is on
     * top of the word, so that what it borrows comes from nobody. If as much was there, that was all;
     * one test of what is left (RARE) tells that from whatever else there may be to do.
     *
     * If not, the program acknowledges more than it was given, and the subtraction is a claim. While
     * the count is negative some claim does not fit, and nobody can say whose: each takes its own back,
     * by compare-and-set, waits for the others to do so, looks, and subtracts only what is there. Once the
     * count is not negative any more, because others took theirs back or events were delivered, all
     * claims that stand fit, and are acknowledgements from that moment on: so 0 means that nothing is
     * outstanding, and what is refused was too much. That there was such a moment since its claim tells
     * each the number of settlements. (If there were exactly 2^12, or a multiple, it is mistaken, and an
     * acknowledgement may be refused that was not too much.)
     *
     * A thread that acknowledges more than MOST_CLAIMED at once looks first, and claims nothing.
     *
     * So only where a program acknowledges more than there is does a thread ever wait for another, and
     * that is then within these few instructions. The other may not come to them for long, as a
     * debugger may hold it. So the wait has an end: a thread that has looked MOST_LOOKS times, with naps in
     * between, settles: it brings the count to 0, and what was outstanding counts as acknowledged by
     * the claims that stand.
     *
     * An Error, such as the end of the stack, must not come between a claim and what takes it back. So both
     * are in one frame: no call is between the two that needs more stack than the claim did. Where the
     * JVM nevertheless finds none, as when it leaves compiled code at that very place, the claim is written
     * down as abandoned, which needs no stack, and the next that asks for the count takes it back. (If
     * two threads do that at once, one of them may be forgotten, and others settle.)
     *
     * If an acknowledgement throws, nothing was acknowledged. That closers could not be woken is not
     * thrown: they look again by themselves, each LOOK_NANOS.
     *
     * *** Waiting ***
     *
     * Closers, the one at work and those behind it, park in a stack of nodes. A waiter first pushes
     * its node (a volatile CAS), then reads the word again, then parks; whoever changes the word
     * (atomically as well) afterwards reads the stack. One of the two must see the other, so no wake-up
     * is lost. An acknowledgement, and a claim that is taken back, looks at the stack only if it finds
     * CLOSING set and brings the counts to 0: whoever brought them there owns the wake-up.
     *
     * A node is dead once its thread has left, for ever. Whoever leaves links past every dead node, as
     * FutureTask does. Links lead down and skip only dead nodes, so the living stay reachable from each
     * node above them, whatever order such writes come in; a link can at worst bring a dead node back,
     * and the one who wrote it then finds it.
     *
     * An acknowledgement happens-before the return of the close that it let through.
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
     * In what a claim leaves: it was too much, or there may have been no room, or a closer waits.
     */
    private static final long RARE = 1L << 63 | 1L << 62 | CLOSING;

    private static final long LOOK_NANOS = 1_000_000_000L;

    /** How often to look, without and with naps in between, before settling for others. */
    private static final int SPINS = 100;

    private static final int MOST_LOOKS = SPINS + 500;
    private static final long NAP_NANOS = 1_000_000;

    /** As many asynchronous events as can be counted. */
    static final int MAX_ASYNC = (1 << 18) - 1;

    /**
     * The largest claim: as many as 2^21 threads can have one at once, and the count still says
     * that it is negative.
     */
    private static final int MOST_CLAIMED = 1 << 10;

    /**
     * As many completion events as can be counted: bit 62 tells of it, whatever is claimed then.
     */
    static final int MOST_OUTSTANDING = (1 << 30) + MOST_CLAIMED;

    /** What {@link #tryAck} answers when it has acknowledged. */
    public static final int ACKED = -1;

    /** What {@link #tryAck} answers when it has acknowledged, and until then there was no room. */
    public static final int ACKED_WHEN_FULL = -2;

    /** What {@link #tryDeliver} answers when it has counted the event. */
    static final int DELIVERED = 0;

    /** What it answers when the object is closing or closed. */
    static final int REFUSED = -1;

    /** What it answers when no more can be counted before some are acknowledged. */
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
        // Links what follows a claim that does not fit: that takes more stack than to do it.
        new Ledger().tryAck(1);
    }

    /** Read volatile; written only atomically. */
    private volatile long word;

    /** What was claimed by acknowledgements that ended with an Error, and is to be taken back. */
    private volatile int abandoned;

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
                        wakeIfLast(now);
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
        long back;
        try {
            do {
                w = word;
                if (n == 0 || (w & CLOSED) != 0) {
                    return;
                }
                back = plus(w, n);
            } while (!WORD.compareAndSet(this, w, back));
        } catch (Error e) {
            abandoned += n;
            throw e;
        }
        wakeIfLast(back);
    }

    /** What follows {@code w} when {@code n} are added: all claims fit if that ends a deficit. */
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

    /** Whoever has changed the word to this owns the wake-up of the closer that waits for it. */
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

    /** From CLOSING back to OPEN, by the closer; those who waited behind it try next. */
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
