package io.loomverbs.internal.event;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** The {@link EventQueue} with one fault. Whatever changes there is to be changed here. */
final class FaultyEventQueue {
    /** What is wrong. */
    enum Fault {
        /** {@code take} looks for an event, and makes itself known in a second step. */
        TAKE_IN_TWO_STEPS,
        /** {@code tryTake} takes no lock. */
        TAKE_UNLOCKED,
        /** {@code take} looks for the end before it has the lock. */
        END_LOOKED_FOR_FIRST,
        /** {@code raise} takes no lock. */
        RAISE_UNLOCKED,
        /** {@code raise} wakes the waiter before it gives it the event. */
        WAKE_BEFORE_GIVING,
        /** {@code raise} looks for a close before it has the lock. */
        CLOSE_LOOKED_FOR_FIRST,
        /** {@code end} takes no lock. */
        END_UNLOCKED,
        /** A waiter that gives up does not look whether it has been given something. */
        CANCEL_IGNORES_GIVEN,
        /** A waiter that gives up stays in the list. */
        CANCEL_LEAVES_WAITER,
        /** A listed event is delivered whatever the ledger says. */
        LEDGER_IGNORED,
        /** A thread that arrives with its event hands nothing to the next. */
        ARRIVAL_HANDS_NOTHING,
        /** A thread that wanted to give up, and has been given an event, does not arrive. */
        LATECOMER_NEVER_ARRIVES,
        /** A closing CQ that is found in the list ends the search. */
        SEARCH_ENDS_AT_CLOSING,
        /** {@code raise} does not look whether the event is to be handed over. */
        WANTED_NOT_LOOKED_AT,
        /** A waiter says that it wants an event, and does not look into the inbox again. */
        INBOX_NOT_LOOKED_AT,
        /** {@code raise} leaves out what is in the inbox already. */
        RAISED_ONCE_IN_INBOX,
        /** {@code push} is no compare-and-set. */
        PUSH_CHECKS_FIRST,
        /** A CQ may be pushed again before what was below it is known. */
        LINK_READ_LATE,
        /** A close that failed does not look at what came up meanwhile. */
        NO_RELIST,
        /** A close that failed looks at what came up meanwhile, then reopens the ledger. */
        RELIST_BEFORE_REOPEN
    }

    /** {@link CqEvents}. */
    static final class Cq {
        private final FaultyEventQueue queue;
        private final Ledger ledger = new Ledger();
        int pending;
        boolean listed;
        private Cq previous;
        private Cq next;
        private final AtomicBoolean inInbox = new AtomicBoolean();
        private volatile Cq below;

        Cq(FaultyEventQueue queue) {
            this.queue = queue;
        }

        Ledger ledger() {
            return ledger;
        }

        void raise() {
            queue.raise(this);
        }

        CloseOutcome close(long nanos, Closer closer) {
            try {
                return ledger.close(nanos, queue.wrap(this, closer));
            } finally {
                if (ledger.isClosed()) {
                    queue.drop(this);
                } else if (queue.fault != Fault.NO_RELIST
                        && queue.fault != Fault.RELIST_BEFORE_REOPEN) {
                    queue.relist(this);
                }
            }
        }
    }

    private static final class Waiter {
        private final Thread thread = Thread.currentThread();
        private volatile Object given;
        private boolean handed;
        private Waiter previous;
        private Waiter next;
    }

    private static final Object END = new Object();

    /** Those for which there need be an inbox; it is left out for the others. */
    private static final Set<Fault> OF_INBOX =
            EnumSet.of(
                    Fault.WANTED_NOT_LOOKED_AT,
                    Fault.INBOX_NOT_LOOKED_AT,
                    Fault.RAISED_ONCE_IN_INBOX,
                    Fault.PUSH_CHECKS_FIRST,
                    Fault.LINK_READ_LATE);

    private final AtomicReference<Cq> inbox = new AtomicReference<>();
    private volatile boolean wanted;

    private final Fault fault;
    private final ReentrantLock lock = new ReentrantLock();
    private Cq firstListed;
    private Cq lastListed;
    private Waiter firstWaiter;
    private Waiter lastWaiter;
    private volatile boolean ended;
    private final int atOnce;
    private int onTheirWay;

    FaultyEventQueue(Fault fault) {
        this(fault, 2);
    }

    FaultyEventQueue(Fault fault, int atOnce) {
        this.fault = fault;
        this.atOnce = atOnce;
    }

    private Closer wrap(Cq cq, Closer closer) {
        if (fault != Fault.RELIST_BEFORE_REOPEN) {
            return closer;
        }
        return new TestCloser(true) {
            @Override
            public boolean destroy() {
                boolean destroyed = closer.destroy();
                relist(cq);
                pause();
                return destroyed;
            }
        };
    }

    @SuppressWarnings("LockNotBeforeTry") // one of the faults
    Cq take(long nanos) throws InterruptedException {
        boolean endSeen = ended;
        if (fault == Fault.END_LOOKED_FOR_FIRST) {
            pauseLong();
        }
        Waiter waiter;
        lock.lock();
        try {
            if (fault != Fault.END_LOOKED_FOR_FIRST) {
                endSeen = ended;
            }
            Cq cq = deliverListed();
            if (cq != null || (nanos <= 0 && !endSeen)) {
                return cq;
            }
            if (endSeen) {
                throw new EventQueueEndedException(null);
            }
            waiter = new Waiter();
            if (fault == Fault.TAKE_IN_TWO_STEPS) {
                lock.unlock();
                pauseLong();
                lock.lock();
            }
            append(waiter);
            handWanted();
        } finally {
            lock.unlock();
        }
        long start = System.nanoTime();
        while (waiter.given == null) {
            long left = nanos - (System.nanoTime() - start);
            boolean late = left <= 0;
            if (late || Thread.currentThread().isInterrupted()) {
                if (cancel(waiter, late)) {
                    if (Thread.interrupted()) {
                        throw new InterruptedException();
                    }
                    return null;
                }
            } else {
                LockSupport.parkNanos(this, left);
            }
        }
        boolean arrives = waiter.handed && waiter.given != END;
        if (fault == Fault.LATECOMER_NEVER_ARRIVES && Thread.currentThread().isInterrupted()) {
            arrives = false;
        }
        if (arrives) {
            arrived();
        }
        if (waiter.given == END) {
            throw new EventQueueEndedException(null);
        }
        return (Cq) waiter.given;
    }

    private void arrived() {
        Thread wake = null;
        lock.lock();
        try {
            onTheirWay--;
            Waiter waiter = firstWaiter;
            if (waiter != null && fault != Fault.ARRIVAL_HANDS_NOTHING) {
                wake = handListed(waiter);
            }
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(wake);
    }

    private Thread handListed(Waiter waiter) {
        Cq cq = deliverListed();
        if (cq == null) {
            return null;
        }
        remove(waiter);
        onTheirWay++;
        waiter.handed = true;
        waiter.given = cq;
        return waiter.thread;
    }

    Cq tryTake() {
        if (fault == Fault.TAKE_UNLOCKED) {
            return deliverListed();
        }
        lock.lock();
        try {
            return deliverListed();
        } finally {
            lock.unlock();
        }
    }

    private void raise(Cq cq) {
        if (fault == Fault.RAISE_UNLOCKED) {
            cq.pending++;
            LockSupport.unpark(handOver(cq));
            return;
        }
        if (OF_INBOX.contains(fault)) {
            raiseByInbox(cq);
            return;
        }
        boolean closed = cq.ledger.isClosed();
        if (fault == Fault.CLOSE_LOOKED_FOR_FIRST) {
            pause();
        }
        Thread wake;
        lock.lock();
        try {
            if (fault != Fault.CLOSE_LOOKED_FOR_FIRST) {
                closed = cq.ledger.isClosed();
            }
            if (closed) {
                return;
            }
            cq.pending++;
            wake = handOver(cq);
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(wake);
    }

    private void raiseByInbox(Cq cq) {
        boolean pushed = cq.inInbox.compareAndSet(false, true);
        if (pushed) {
            push(cq);
            if (!wanted || fault == Fault.WANTED_NOT_LOOKED_AT) {
                return;
            }
        } else if (fault == Fault.RAISED_ONCE_IN_INBOX) {
            return;
        }
        Thread wake;
        lock.lock();
        try {
            if (!pushed) {
                takeIn();
                list(cq);
            }
            wake = handWanted();
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(wake);
    }

    private void push(Cq cq) {
        Cq below;
        do {
            below = inbox.get();
            cq.below = below;
            if (fault == Fault.PUSH_CHECKS_FIRST) {
                pause();
                inbox.set(cq);
                return;
            }
        } while (!inbox.compareAndSet(below, cq));
    }

    private void takeIn() {
        Cq last = inbox.getAndSet(null);
        if (fault == Fault.LINK_READ_LATE) {
            while (last != null) {
                last.inInbox.set(false);
                pause();
                Cq below = last.below;
                list(last);
                last = below;
            }
            return;
        }
        Cq first = null;
        while (last != null) {
            Cq below = last.below;
            last.below = first;
            first = last;
            last = below;
        }
        while (first != null) {
            Cq cq = first;
            first = cq.below;
            cq.inInbox.set(false);
            list(cq);
        }
    }

    private void list(Cq cq) {
        cq.pending++;
        if (!cq.listed) {
            append(cq);
        }
    }

    /** One at most: there are no more waiters than one where this is used. */
    private Thread handWanted() {
        if (!OF_INBOX.contains(fault)) {
            return null;
        }
        if (firstWaiter == null || onTheirWay >= atOnce) {
            wanted = false;
            return null;
        }
        Thread wake = handListed(firstWaiter);
        if (wake == null && !wanted) {
            if (fault == Fault.INBOX_NOT_LOOKED_AT) {
                pauseLong();
            }
            wanted = true;
            wake = fault == Fault.INBOX_NOT_LOOKED_AT ? null : handListed(firstWaiter);
        }
        return wake;
    }

    private void relist(Cq cq) {
        Thread wake;
        do {
            lock.lock();
            try {
                wake = handOver(cq);
            } finally {
                lock.unlock();
            }
            LockSupport.unpark(wake);
        } while (wake != null);
    }

    private void drop(Cq cq) {
        lock.lock();
        try {
            cq.pending = 0;
            if (cq.listed) {
                remove(cq);
            }
        } finally {
            lock.unlock();
        }
    }

    void end() {
        boolean locked = fault != Fault.END_UNLOCKED;
        if (locked) {
            lock.lock();
        }
        Waiter woken;
        try {
            ended = true;
            woken = firstWaiter;
            if (!locked) {
                pause();
            }
            for (Waiter w = woken; w != null; w = w.next) {
                w.given = END;
            }
            firstWaiter = null;
            lastWaiter = null;
        } finally {
            if (locked) {
                lock.unlock();
            }
        }
        for (Waiter w = woken; w != null; w = w.next) {
            LockSupport.unpark(w.thread);
        }
    }

    private boolean cancel(Waiter waiter, boolean late) {
        if (fault == Fault.CANCEL_IGNORES_GIVEN) {
            pause();
        }
        lock.lock();
        try {
            if (waiter.given != null) {
                return fault == Fault.CANCEL_IGNORES_GIVEN;
            }
            if (fault != Fault.CANCEL_LEAVES_WAITER) {
                remove(waiter);
            }
            Cq cq = late ? deliverListed() : null;
            waiter.given = cq;
            return cq == null;
        } finally {
            lock.unlock();
        }
    }

    private Cq deliverListed() {
        if (firstListed == null) {
            takeIn();
        }
        for (Cq cq = firstListed; cq != null; cq = firstListed) {
            remove(cq);
            boolean counted = cq.ledger.tryDeliver() != Ledger.REFUSED;
            if (counted || fault == Fault.LEDGER_IGNORED) {
                if (--cq.pending > 0) {
                    append(cq);
                }
                return cq;
            }
            if (fault == Fault.SEARCH_ENDS_AT_CLOSING) {
                return null;
            }
        }
        return null;
    }

    private Thread handOver(Cq cq) {
        if (cq.pending == 0 || cq.listed) {
            return null;
        }
        Waiter waiter = firstWaiter;
        if (waiter == null || onTheirWay == atOnce) {
            if (!cq.ledger.isClosing()) {
                append(cq);
            }
            return null;
        }
        if (cq.ledger.tryDeliver() == Ledger.REFUSED) {
            return null;
        }
        cq.pending--;
        remove(waiter);
        onTheirWay++;
        waiter.handed = true;
        if (fault == Fault.WAKE_BEFORE_GIVING) {
            LockSupport.unpark(waiter.thread);
            pause();
            waiter.given = cq;
            return null;
        }
        waiter.given = cq;
        return waiter.thread;
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 50; i++) {
            Thread.onSpinWait();
        }
    }

    /** For a thread that has just been started, at no exact time. */
    private static void pauseLong() {
        for (int i = 0; i < 10; i++) {
            pause();
        }
    }

    private void append(Cq cq) {
        cq.listed = true;
        cq.previous = lastListed;
        if (lastListed == null) {
            firstListed = cq;
        } else {
            lastListed.next = cq;
        }
        lastListed = cq;
    }

    private void remove(Cq cq) {
        Cq before = cq.previous;
        Cq after = cq.next;
        if (before == null) {
            firstListed = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastListed = before;
        } else {
            after.previous = before;
        }
        cq.previous = null;
        cq.next = null;
        cq.listed = false;
    }

    private void append(Waiter waiter) {
        waiter.previous = lastWaiter;
        if (lastWaiter == null) {
            firstWaiter = waiter;
        } else {
            lastWaiter.next = waiter;
        }
        lastWaiter = waiter;
    }

    private void remove(Waiter waiter) {
        Waiter before = waiter.previous;
        Waiter after = waiter.next;
        if (before == null) {
            firstWaiter = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            lastWaiter = before;
        } else {
            after.previous = before;
        }
        waiter.previous = null;
        waiter.next = null;
    }
}
