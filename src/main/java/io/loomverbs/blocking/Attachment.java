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
import java.util.function.BooleanSupplier;

/**
 * A queue pair that is attached to the dispatchers of its CQs, from the first receive until all
 * that was posted is flushed: both of its sides, and why it accepts no more requests.
 */
final class Attachment {
    private static final int OPEN = 0;
    private static final int CLOSING = 1;
    private static final int CLOSED = 2;
    private static final VarHandle STATE;
    private static final VarHandle BREAKAGE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(Attachment.class, "state", int.class);
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

    private volatile int state = OPEN;

    /** The first failure. By compare-and-set. */
    private volatile @Nullable Breakage breakage;

    /** The queue pair was destroyed or reset: no completion comes from it any more. */
    private volatile boolean gone;

    private volatile @Nullable Waiter closers;

    Attachment(QueuePair qp, Buffer[] buffers, Reservation room) {
        this.qp = qp;
        this.qpNum = qp.qpNum();
        this.room = room;
        this.sendIndex = sends().attach(this);
        this.recvIndex = receives() == sends() ? sendIndex : receives().attach(this);
        this.send = new SendSide(this, qp, sendIndex, room.sendCount());
        this.receive = new ReceiveSide(this, qp, recvIndex, buffers);
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
        return state != OPEN || breakage != null;
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

    /** Has the queue pair flush what is posted, since something about it is unknown. */
    void breakUp(String why) {
        broke(Breakage.of(why, new IllegalStateException("the queue pair was moved to ERR")));
        flush();
    }

    /** The queue pair is closed: nothing that was posted completes any more. */
    void gone(RuntimeException why) {
        broke(Breakage.of(String.valueOf(qp), why));
        gone = true;
    }

    private void flush() {
        if (setErr(false) != null) {
            gone = true;
        }
    }

    /**
     * Sets state ERR: once more if the queue pair is in that state, or else if it is not.
     *
     * @return why nothing that was posted completes any more; null if it does
     */
    private @Nullable RuntimeException setErr(boolean again) {
        try {
            QpState now = qp.state();
            if (now == QpState.RESET) {
                return new IllegalStateException(qp + " was moved to RESET");
            }
            if ((now == QpState.ERR) == again) {
                qp.modify(QpAttributes.builder().state(QpState.ERR).build());
            }
            return null;
        } catch (ClosedException e) {
            return e;
        } catch (VerbsException e) {
            if (!e.errnoName().equals("EIO")) {
                throw e;
            }
            return e; // there is no device any more
        }
    }

    /** A leader has had nothing to do for a while: is this still of use? */
    void audit() {
        if (!gone && (send.outstanding() > 0 || receive.outstanding() > 0)) {
            // soft-RoCE flushes what is posted in ERR only when the state is set again.
            RuntimeException why = setErr(true);
            if (why != null) {
                gone(why);
            }
        }
        Breakage b = breakage;
        if (gone) {
            abandon(b == null ? Breakage.of(String.valueOf(qp), new ClosedException(qp)) : b);
        } else {
            send.endDoubtful();
        }
    }

    /** Ends everything that was posted. The leader's. */
    void abandon(Breakage why) {
        Breakage first = broke(why);
        send.abandon(first);
        receive.abandon();
        outstandingFell();
    }

    void completed(long wrId, WorkCompletions batch, int i) {
        if (WrId.isReceive(wrId)) {
            receive.completed(wrId, batch, i);
        } else {
            send.completed(wrId, batch, i);
        }
        if (state != OPEN) {
            outstandingFell();
        }
    }

    /** Something that a closer waits for may have happened. */
    void outstandingFell() {
        for (Waiter w = closers; w != null; w = w.below) {
            w.wake();
        }
    }

    @Nullable Breakage breakage() {
        return breakage;
    }

    boolean isClosing() {
        return state != OPEN;
    }

    /** Ends all requests, waits until nothing is posted any more, and detaches the queue pair. */
    void close() {
        if (!STATE.compareAndSet(this, OPEN, CLOSING)) {
            sends().awaitQuietly(new Closing(() -> state == CLOSED));
            return;
        }
        try {
            send.signal(); // a thread that posts meanwhile looks at the state once more
            flush();
            receive.wakeAll();
            // One after the other, as each polls its own CQ.
            sends().awaitQuietly(new Closing(() -> !send.isBusy() && send.outstanding() == 0));
            receives().awaitQuietly(new Closing(() -> receive.outstanding() == 0));
        } finally {
            sends().detach(sendIndex);
            if (receives() != sends()) {
                receives().detach(recvIndex);
            }
            receive.discard();
            send.close();
            room.release();
            state = CLOSED;
            outstandingFell();
        }
    }

    /** What a closer waits for. */
    private final class Closing implements Goal {
        private final BooleanSupplier reached;

        Closing(BooleanSupplier reached) {
            this.reached = reached;
        }

        @Override
        public boolean isReached() {
            return reached.getAsBoolean();
        }

        @Override
        public void enlist(Waiter w) {
            synchronized (Attachment.this) {
                w.below = closers;
                closers = w;
            }
        }

        @Override
        public void leave(Waiter w) {
            // Dropped with the attachment.
        }

        @Override
        public boolean isNear() {
            return send.isBusy() || state == CLOSED;
        }
    }

    /** Named like the requests, for messages. */
    @Override
    public String toString() {
        return "requests over " + qp;
    }
}
