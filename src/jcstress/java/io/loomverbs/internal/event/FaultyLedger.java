package io.loomverbs.internal.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** The {@link Ledger} with one fault. Whatever changes there is to be changed here. */
final class FaultyLedger {
    /** What is wrong. */
    enum Fault {
        /** {@code tryDeliver} checks the state, then counts. */
        DELIVER_CHECKS_FIRST,
        /** {@code tryDeliver} refuses what is closed, but not what is closing. */
        DELIVER_WHILE_CLOSING,
        /** {@code tryAck} checks the count, then subtracts. */
        ACK_CHECKS_FIRST,
        /** {@code tryAck} decides whether it is the last before it acknowledges. */
        ACK_DECIDES_FIRST,
        /**
         * Who finds too little is refused, though others may have claimed what they cannot have.
         */
        REFUSED_BESIDE_A_CLAIM,
        /** A claim is taken back, whether it fits by now or not. */
        TAKES_BACK_WHAT_FITS,
        /** A claim that is taken back wakes nobody. */
        TAKES_BACK_AND_WAKES_NOBODY,
        /** {@code tryAck} wakes nobody. */
        ACK_WAKES_NOBODY,
        /** {@code tryAckAsync} wakes nobody. */
        ASYNC_ACK_WAKES_NOBODY,
        /** A closer that has made itself known parks without another look. */
        PARK_WITHOUT_LOOK,
        /** A closer looks, then makes itself known. */
        LOOK_BEFORE_PUSH,
        /** {@code push} is no compare-and-set. */
        PUSH_CHECKS_FIRST,
        /** {@code beginClose} checks the state, then sets it. */
        BEGIN_CHECKS_FIRST,
        /** {@code reopen} writes back what it has read. */
        REOPEN_WRITES_BACK,
        /** {@code reopen} wakes nobody. */
        REOPEN_WAKES_NOBODY,
        /** {@code closed} wakes nobody. */
        CLOSED_WAKES_NOBODY,
        /** A closer gives up when it is interrupted. */
        INTERRUPT_ENDS_WAIT,
        /** A closer that leaves takes whoever is on top of the stack with it. */
        LEAVE_POPS_ANYONE
    }

    private static final long CLOSING = 1;
    private static final long CLOSED = 1 << 1;
    private static final long STATE = CLOSING | CLOSED;
    private static final long SETTLEMENT = 1 << 2;
    private static final long SETTLEMENTS = 0xfff * SETTLEMENT;
    private static final long ASYNC_ONE = 1 << 14;
    private static final long COMPLETION_ONE = 1L << 32;
    private static final long COUNTS = ~(STATE | SETTLEMENTS);

    private static final VarHandle WORD;
    private static final VarHandle PARKED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(FaultyLedger.class, "word", long.class);
            PARKED = lookup.findVarHandle(FaultyLedger.class, "parked", Parked.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final class Parked {
        private volatile Thread thread = Thread.currentThread();
        private volatile Parked next;
    }

    private final Fault fault;
    private volatile long word;
    private volatile Parked parked;

    FaultyLedger(Fault fault) {
        this.fault = fault;
    }

    int tryDeliver() {
        if (fault == Fault.DELIVER_CHECKS_FIRST) {
            if (isClosed() || isClosing()) {
                return Ledger.REFUSED;
            }
            WORD.getAndAdd(this, COMPLETION_ONE);
            return Ledger.DELIVERED;
        }
        long refusing = fault == Fault.DELIVER_WHILE_CLOSING ? CLOSED : STATE;
        long w;
        do {
            w = word;
            if ((w & refusing) != 0) {
                return Ledger.REFUSED;
            }
        } while (!WORD.compareAndSet(this, w, plus(w, 1)));
        return Ledger.DELIVERED;
    }

    void tryDeliverAsync() {
        WORD.getAndAdd(this, ASYNC_ONE);
    }

    int tryAck(int n) {
        if (fault == Fault.ACK_CHECKS_FIRST) {
            int before = outstanding();
            if (before < n) {
                return before;
            }
            WORD.getAndAdd(this, -n * COMPLETION_ONE);
            return Ledger.ACKED;
        }
        long decided = word;
        long w = (long) WORD.getAndAdd(this, -n * COMPLETION_ONE);
        if (completionOf(w) < n) {
            return settle(n, w);
        }
        long last = fault == Fault.ACK_DECIDES_FIRST ? decided : w;
        if (fault != Fault.ACK_WAKES_NOBODY) {
            wakeIfLast(last - n * COMPLETION_ONE);
        }
        return Ledger.ACKED;
    }

    private int settle(int n, long claimed) {
        if (fault == Fault.TAKES_BACK_WHAT_FITS) {
            long before = (long) WORD.getAndAdd(this, n * COMPLETION_ONE);
            return before >= 0 ? Ledger.ACKED : ackWhatIsThere(n);
        }
        long w;
        long back;
        do {
            w = word;
            if (((w ^ claimed) & SETTLEMENTS) != 0) {
                return Ledger.ACKED;
            }
            back = plus(w, n);
        } while (!WORD.compareAndSet(this, w, back));
        if (fault != Fault.TAKES_BACK_AND_WAKES_NOBODY) {
            wakeIfLast(back);
        }
        return ackWhatIsThere(n);
    }

    private int ackWhatIsThere(int n) {
        for (; ; ) {
            long w = word;
            int outstanding = completionOf(w);
            if (outstanding < 0 && fault != Fault.REFUSED_BESIDE_A_CLAIM) {
                Thread.onSpinWait();
            } else if (outstanding < n) {
                return Math.max(outstanding, 0);
            } else if (WORD.compareAndSet(this, w, w - n * COMPLETION_ONE)) {
                wakeIfLast(w - n * COMPLETION_ONE);
                return Ledger.ACKED;
            }
        }
    }

    private static long plus(long w, int n) {
        long next = w + n * COMPLETION_ONE;
        return w >= 0 || next < 0
                ? next
                : (next & ~SETTLEMENTS) | ((next + SETTLEMENT) & SETTLEMENTS);
    }

    boolean tryAckAsync() {
        long w = (long) WORD.getAndAdd(this, -ASYNC_ONE);
        if (fault != Fault.ASYNC_ACK_WAKES_NOBODY) {
            wakeIfLast(w - ASYNC_ONE);
        }
        return true;
    }

    private void wakeIfLast(long now) {
        if ((now & CLOSING) != 0 && (now & COUNTS) == 0) {
            wakeClosers();
        }
    }

    private static int completionOf(long w) {
        return (int) (w >> 32);
    }

    int outstanding() {
        return Math.max(completionOf(word), 0);
    }

    boolean isClosed() {
        return (word & CLOSED) != 0;
    }

    boolean isClosing() {
        return (word & CLOSING) != 0;
    }

    CloseOutcome close(long nanos, Closer closer) {
        long start = System.nanoTime();
        while (!beginClose()) {
            if (isClosed()) {
                return CloseOutcome.CLOSED;
            }
            if (!await(CLOSING, nanos - (System.nanoTime() - start))) {
                return CloseOutcome.TIMED_OUT;
            }
        }
        if (!await(COUNTS, nanos - (System.nanoTime() - start))) {
            reopen();
            return CloseOutcome.TIMED_OUT;
        }
        if (!closer.destroy()) {
            reopen();
            return CloseOutcome.REFUSED;
        }
        WORD.getAndBitwiseXor(this, STATE);
        if (fault != Fault.CLOSED_WAKES_NOBODY) {
            wakeClosers();
        }
        return CloseOutcome.CLOSED;
    }

    private boolean beginClose() {
        if (fault == Fault.BEGIN_CHECKS_FIRST) {
            if (isClosed() || isClosing()) {
                return false;
            }
            WORD.getAndBitwiseOr(this, CLOSING);
            return true;
        }
        long w;
        do {
            w = word;
            if ((w & STATE) != 0) {
                return false;
            }
        } while (!WORD.compareAndSet(this, w, w | CLOSING));
        return true;
    }

    private void reopen() {
        if (fault == Fault.REOPEN_WRITES_BACK) {
            long w = word;
            pause();
            word = w & ~CLOSING;
        } else {
            WORD.getAndBitwiseAnd(this, ~CLOSING);
        }
        if (fault != Fault.REOPEN_WAKES_NOBODY) {
            wakeClosers();
        }
    }

    private boolean await(long untilZero, long nanos) {
        if ((word & untilZero) == 0) {
            return true;
        }
        if (nanos <= 0) {
            return false;
        }
        Parked me = new Parked();
        long start = System.nanoTime();
        boolean interrupted = false;
        boolean look = true;
        if (fault == Fault.LOOK_BEFORE_PUSH) {
            if ((word & untilZero) == 0) {
                return true;
            }
            look = false;
            pause();
        }
        push(me);
        if (fault == Fault.PARK_WITHOUT_LOOK) {
            look = false;
        }
        try {
            while (!look || (word & untilZero) != 0) {
                look = true;
                long left = nanos - (System.nanoTime() - start);
                if (left <= 0) {
                    return false;
                }
                LockSupport.parkNanos(this, left);
                interrupted |= Thread.interrupted();
                if (interrupted && fault == Fault.INTERRUPT_ENDS_WAIT) {
                    return false;
                }
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
            if (fault == Fault.PUSH_CHECKS_FIRST) {
                pause();
                parked = node;
                return;
            }
        } while (!PARKED.compareAndSet(this, top, node));
    }

    private void unlinkDead() {
        if (fault == Fault.LEAVE_POPS_ANYONE) {
            Parked top = parked;
            if (top != null) {
                PARKED.compareAndSet(this, top, top.next);
            }
            return;
        }
        boolean again;
        do {
            again = false;
            Parked above = null;
            Parked next;
            for (Parked p = parked; p != null && !again; p = next) {
                next = p.next;
                if (p.thread != null) {
                    above = p;
                } else if (above == null) {
                    again = !PARKED.compareAndSet(this, p, next);
                } else {
                    above.next = next;
                    again = above.thread == null;
                }
            }
        } while (again);
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 50; i++) {
            Thread.onSpinWait();
        }
    }

    private void wakeClosers() {
        for (Parked p = parked; p != null; p = p.next) {
            LockSupport.unpark(p.thread);
        }
    }
}
