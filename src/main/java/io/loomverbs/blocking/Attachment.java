package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * A queue pair that is attached to the dispatchers of its CQs, from the first receive until
 * everything posted is flushed: both of its sides, and the reason why it accepts no more requests.
 */
final class Attachment {
    /*
     *   OPEN    -> CLOSING   a thread closes; the device may refuse that, so all goes on
     *   CLOSING -> ENDING    the queue pair is in ERR: what is posted from here on is of no use
     *   ENDING  -> CLOSED    nothing is posted any more
     *   CLOSING, ENDING -> OPEN    refused
     *
     * A thread posts, then checks whether another closes: it may have posted after the flush.
     */
    private static final int OPEN = 0;
    private static final int CLOSING = 1;
    private static final int ENDING = 2;
    private static final int CLOSED = 3;
    private static final Duration CLOSE_AGAIN = Duration.ofMillis(500);
    private static final VarHandle BREAKAGE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            BREAKAGE = lookup.findVarHandle(Attachment.class, "breakage", Breakage.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final QueuePair qp;
    private final int qpNum;
    private final Reservation room;
    private final int sendIndex;
    private final int recvIndex;
    private final SendSide send;
    private final ReceiveSide receive;

    private final ReentrantLock closing = new ReentrantLock();

    /** Written under the lock {@code closing}. */
    private volatile int state = OPEN;

    /** The first failure. By compare-and-set. */
    private volatile @Nullable Breakage breakage;

    /**
     * Whether the queue pair was destroyed or reset: it delivers no more completions, and executes
     * nothing. Written after {@link #breakage}.
     */
    private volatile boolean gone;

    /**
     * The queue pair's resets when the outstanding requests were posted. If there have been more
     * since, some of these never complete.
     */
    private volatile long resets;

    private volatile @Nullable Parked closers;

    private Attachment(
            QueuePair qp, Buffer[] buffers, Reservation room, int sendIndex, int recvIndex) {
        this.qp = qp;
        this.qpNum = qp.qpNum();
        this.room = room;
        this.resets = qp.resets();
        this.sendIndex = sendIndex;
        this.recvIndex = recvIndex;
        long start = WrId.start();
        this.send = new SendSide(this, qp, sendIndex, room.sendCount(), start);
        this.receive = new ReceiveSide(this, qp, recvIndex, buffers, start);
    }

    /**
     * Attaches a queue pair. Its leaders see it only once it is complete.
     *
     * @throws IllegalStateException if it is attached already: each would post as if it were alone
     */
    static Attachment of(QueuePair qp, Buffer[] buffers, Reservation room) {
        Dispatcher sends = room.sends();
        Dispatcher receives = room.receives();
        sends.enter(qp);
        int sendIndex = -1;
        int recvIndex = -1;
        Attachment made = null;
        try {
            sendIndex = sends.claim();
            recvIndex = receives == sends ? sendIndex : receives.claim();
            made = new Attachment(qp, buffers, room, sendIndex, recvIndex);
            sends.attach(sendIndex, made);
            receives.attach(recvIndex, made);
            return made;
        } finally {
            if (made == null) {
                if (sendIndex >= 0) {
                    sends.detach(sendIndex);
                }
                if (receives != sends && recvIndex >= 0) {
                    receives.detach(recvIndex);
                }
                sends.leave(qp);
            }
        }
    }

    QueuePair queuePair() {
        return qp;
    }

    int qpNum() {
        return qpNum;
    }

    SendSide send() {
        return send;
    }

    ReceiveSide receive() {
        return receive;
    }

    /** The dispatcher of the requests. */
    Dispatcher sends() {
        return room.sends();
    }

    /** The dispatcher of the receives. */
    Dispatcher receives() {
        return room.receives();
    }

    /** Whether new requests are refused. */
    boolean refuses() {
        return isEnding() || breakage != null;
    }

    /** Why new requests are refused. */
    RuntimeException refusal() {
        Breakage b = breakage;
        if (state == OPEN && b != null) {
            return new RequestFailedException(this + ": " + b.explain(), b, WcStatus.WR_FLUSH_ERR);
        }
        return new ClosedException(this);
    }

    /** Ends a request that was never posted. */
    void refuse(Request r) {
        Breakage b = breakage;
        if (b != null) {
            r.fail(b, WcStatus.WR_FLUSH_ERR);
        } else {
            r.refuse(new ClosedException(this));
        }
    }

    /** Records a failure unless there was one before, and returns the first. */
    Breakage broke(Breakage by) {
        Breakage first = (Breakage) BREAKAGE.compareAndExchange(this, null, by);
        if (first != null) {
            return first;
        }
        receive.wakeAll();
        return by;
    }

    /** Makes the queue pair flush what is posted, since something about it is unknown. */
    void breakUp(String why) {
        broke(Breakage.of(why, new IllegalStateException("the queue pair was moved to ERR")));
        flush();
    }

    /** The queue pair is closed: nothing that was posted completes any more. */
    void gone(RuntimeException why) {
        broke(Breakage.of(String.valueOf(qp), why));
        gone = true;
    }

    /** Moves the queue pair to ERR, unless the device refuses that at the moment. */
    void flush() {
        moveToErr(false);
    }

    /** To be called before a post, so that requests from before a reset are not mixed with it. */
    void posting() {
        long now = qp.resets();
        // Counted before it is posted: what is not seen here is posted after that many resets.
        if (now != resets && send.outstanding() == 0 && receive.outstanding() == 0) {
            resets = now;
        }
    }

    /** Whether something that was posted never completes, as the program has moved it to RESET. */
    private boolean wasReset() {
        return !gone
                && qp.resets() != resets
                && (send.outstanding() > 0 || receive.outstanding() > 0);
    }

    private Breakage reset() {
        return Breakage.of(
                String.valueOf(qp),
                new IllegalStateException(qp + " was moved to RESET while requests were posted"));
    }

    /**
     * To be called after a post: makes the queue pair flush it, if a thread closes. soft-RoCE
     * flushes what is posted in ERR only when the state is set again.
     */
    void posted() {
        if (state != OPEN) {
            moveToErr(true);
        }
    }

    private void moveToErr(boolean again) {
        try {
            move(QpState.ERR, again);
        } catch (VerbsException e) {
            // The caller's request is not to blame. An audit, or the closer, tries again.
        }
    }

    /**
     * Moves the queue pair to ERR or RESET. If no posted request can complete after that, it is
     * gone.
     *
     * @param again true to move it only if it is in that state already, false only if it is not
     * @throws VerbsException if the device refuses that
     */
    private void move(QpState to, boolean again) {
        try {
            QpState now = qp.state();
            if (now != QpState.RESET && (now == to) == again) {
                qp.modify(QpAttributes.builder().state(to).build());
                now = again ? now : to;
            }
            if (now == QpState.RESET) {
                gone(new IllegalStateException(qp + " was moved to RESET"));
            }
        } catch (ClosedException e) {
            gone(e);
        } catch (VerbsException e) {
            if (!e.errnoName().equals("EIO")) {
                throw e;
            }
            gone(e); // there is no device any more
        }
    }

    /**
     * A leader checks from time to time whether this is still usable.
     *
     * @return whether the check has called the device
     */
    boolean audit(Dispatcher by) {
        if (wasReset()) {
            end(by, reset());
            return true;
        }
        boolean asks = !gone && (send.outstanding() > 0 || receive.outstanding() > 0);
        if (asks) {
            try {
                // soft-RoCE flushes what is posted in ERR only when the state is set again.
                move(QpState.ERR, true);
                if (receive.isDoubtful()) {
                    move(QpState.RESET, false);
                }
            } catch (VerbsException e) {
                // This is not the fault of the leading thread. The next audit tries again.
            }
        }
        if (gone) {
            abandon(by);
        } else if (isOf(by, sends())) {
            send.audit();
        }
        return asks;
    }

    /**
     * Called by the leader of a CQ that delivers no more completions, or not those of all posted
     * requests, so that nothing says when the device has flushed these. A reset certainly ends
     * them.
     */
    void end(Dispatcher by, Breakage why) {
        broke(why);
        try {
            if (!gone) {
                move(QpState.RESET, false);
            }
        } catch (VerbsException e) {
            return; // what was posted keeps its memory: the closer tries again
        }
        boolean interrupted = false;
        while (!abandon(by)) { // a thread is just posting, for the last time
            // While interrupted, park returns at once: the status is put aside.
            interrupted |= Thread.interrupted();
            LockSupport.parkNanos(Dispatcher.MOMENT.toNanos());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Ends everything that was posted on the leader's side; the other leader ends the other side.
     *
     * @return false if threads are posting at the moment: then call this again
     */
    private boolean abandon(Dispatcher by) {
        Breakage why = broke(Breakage.of(String.valueOf(qp), new ClosedException(qp)));
        boolean done = !isOf(by, sends()) || send.abandon(why);
        done &= !isOf(by, receives()) || receive.abandon();
        outstandingFell();
        return done;
    }

    private static boolean isOf(Dispatcher by, Dispatcher side) {
        return by == side;
    }

    void completed(Dispatcher by, long wrId, WorkCompletions batch, int i) {
        if (wasReset()) { // it must not stand for requests before it that were discarded
            end(by, reset());
            return;
        }
        if (WrId.isReceive(wrId)) {
            receive.completed(wrId, batch, i);
        } else {
            send.completed(by.batchNumber(), wrId, batch, i);
        }
        if (state != OPEN) {
            outstandingFell();
        }
    }

    /** Something that a closer waits for may have happened. */
    void outstandingFell() {
        for (Parked w = closers; w != null; w = w.below) {
            w.wake();
        }
    }

    @Nullable Breakage breakage() {
        return breakage;
    }

    /** Whether what is posted now is only flushed, because a thread closes. */
    boolean isEnding() {
        return state >= ENDING;
    }

    /**
     * Ends all requests, waits until nothing is posted any more, and detaches the queue pair. If
     * the device refuses to move the queue pair, this stays open; if it refuses to deregister
     * memory, only that is left to do. In both cases close it again.
     */
    void close() {
        closing.lock();
        try {
            if (state != CLOSED) {
                endAll();
                sends().detach(sendIndex);
                if (receives() != sends()) {
                    receives().detach(recvIndex);
                }
                sends().leave(qp);
                // Before the users are counted: a thread that leads later has its goal.
                state = CLOSED;
                room.release();
                receive.discard();
                awaitResignation(sends());
                awaitResignation(receives());
            }
            send.close();
        } finally {
            closing.unlock();
        }
    }

    /**
     * Waits until no thread polls a CQ that has no requests any more. Such a thread notices this
     * itself, but not at once if no completion comes: it may wait for a message while the program
     * holds all of them.
     */
    private static void awaitResignation(Dispatcher side) {
        boolean interrupted = false;
        while (side.isLedUnused()) {
            // While interrupted, park returns at once: the status is put aside.
            interrupted |= Thread.interrupted();
            LockSupport.parkNanos(Dispatcher.MOMENT.toNanos());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether nothing of it is posted, nor ever will be. */
    boolean isClosed() {
        return state == CLOSED;
    }

    /** Closes it as soon as the device does not refuse that. */
    void closeInTime() {
        while (true) {
            LockSupport.parkNanos(CLOSE_AGAIN.toNanos());
            try {
                close();
                return;
            } catch (VerbsException e) {
                // It is tried again; and if the program closes the queue pair, that ends all, too.
            }
        }
    }

    private void endAll() {
        boolean done = false;
        state = CLOSING;
        try {
            move(QpState.ERR, false); // if it is refused, nothing has changed
            state = ENDING;
            send.signal(); // a thread that posts meanwhile looks at the state once more
            receive.wakeAll();
            // One after the other, as each polls its own CQ.
            awaitEnd(sends(), () -> !send.isBusy() && send.outstanding() == 0);
            awaitEnd(receives(), () -> receive.outstanding() == 0);
            done = true;
        } finally {
            if (!done) {
                state = OPEN;
            }
        }
    }

    private void awaitEnd(Dispatcher side, BooleanSupplier ended) {
        // Once reached, it stays reached: threads that come later are refused.
        while (!side.awaitQuietly(new Closing(ended))) {
            // The CQ delivers nothing any more, and the device has refused a reset, as it says
            // here;
            // or a thread is just posting.
            if (!gone) {
                move(QpState.RESET, false);
            }
            LockSupport.parkNanos(Dispatcher.MOMENT.toNanos());
        }
    }

    /** What a closer waits for. */
    final class Closing implements Goal {
        private final BooleanSupplier reached;

        Closing(BooleanSupplier reached) {
            this.reached = reached;
        }

        @Override
        public String what() {
            return "the end of what is posted, to close " + Attachment.this;
        }

        @Override
        public boolean isReached() {
            return reached.getAsBoolean();
        }

        /** Waiters that have left are dropped: a closer comes again while a reset is refused. */
        @Override
        public void enlist(Parked w) {
            synchronized (Attachment.this) {
                Parked live = closers;
                while (live != null && live.gone) {
                    live = live.below;
                }
                w.below = live;
                closers = w;
            }
        }

        @Override
        public void leave(Parked w) {
            // It is dropped when the next one comes, or with the attachment.
        }

        @Override
        public boolean isNear() {
            return send.isBusy() || receive.isPosting();
        }
    }

    /** Named like the requests, for messages. */
    @Override
    public String toString() {
        return "requests over " + qp;
    }
}
