package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;

/** Serves the CQs of a channel. */
final class ChannelServing extends Serving {
    /*
     * A thread that is given an event acknowledges it, so that the handler can close the CQ, and
     * takes the CQ's turn. It polls and handles, arms when there seems to be nothing left, and
     * polls once more: completions from before the arm raise no event. A thread that is given
     * another event meanwhile leaves a note with the turn.
     *
     * A thread that gives up a CQ that may hold more, because of an exception or because others
     * have their turn, raises an event: the CQ is listed behind the others. Before that, the thread
     * reads an event from the kernel, since no other thread does while events are listed. So a CQ
     * is either armed and empty, or its event is pending, or a thread has its turn.
     *
     * A stop ends the waits. Then the threads divide all CQs of the channel among them: a CQ may
     * hold a completion whose event is still in the kernel.
     */

    /** How many batches of one CQ are handled before the others have their turn. */
    static final int SHARE = 4;

    private final CompletionChannel channel;
    private final ChannelHandler handler;

    /** The CQs that are still to be drained; null before the stop. */
    @GuardedBy("this")
    private @Nullable ArrayDeque<CompletionQueue> undrained;

    ChannelServing(CompletionChannel channel, ChannelHandler handler, FailurePolicy policy) {
        super(channel, policy);
        this.channel = channel;
        this.handler = handler;
    }

    @Override
    void claim(Thread thread, boolean first) {
        if (first) {
            channel.lendTo(this);
        }
    }

    @Override
    void unclaim(Thread thread, boolean last) {
        if (last) {
            channel.served(this);
        }
    }

    @Override
    void endWaits() {
        channel.queue().endWaits(stop);
    }

    @Override
    void serveUntilStopped(HandlerCalls calls) throws InterruptedException {
        WorkCompletions batch = BatchSlab.allocate();
        EventQueue queue = channel.queue();
        while (!stop.isGiven()) {
            QueuedCq taken = null;
            RecordedWait wait = Recorder.beginWait();
            try {
                Fairness.before(queue, Long.MAX_VALUE);
                taken = queue.takeUnlessStopped(stop);
            } catch (EventQueueEndedException e) {
                throw CqEvent.ended(channel, e);
            } finally {
                Recorder.endWait(wait, channel, "serve", taken != null);
            }
            if (taken != null) {
                taken.tryAck(1);
                CompletionQueue cq = ((CqDelivery) taken).cq();
                if (Recorder.recordsArms()) {
                    cq.receivedWhileRecording();
                }
                serve(cq, batch, calls);
            }
        }
        for (CompletionQueue cq = nextUndrained(); cq != null; cq = nextUndrained()) {
            serve(cq, batch, calls);
        }
        if (!isAbandoned()) {
            drained();
        }
    }

    private synchronized @Nullable CompletionQueue nextUndrained() {
        if (undrained == null) {
            undrained = new ArrayDeque<>(channel.cqs());
        }
        return isAbandoned() ? null : undrained.poll();
    }

    private void serve(CompletionQueue cq, WorkCompletions batch, HandlerCalls calls)
            throws InterruptedException {
        HandlingTurn turn = cq.turn();
        if (!turn.tryBegin()) {
            return;
        }
        boolean thrown = true;
        try {
            boolean idle;
            do {
                idle = handleShare(cq, batch, calls);
            } while (!turn.tryEnd());
            thrown = false;
            if (!idle) {
                try {
                    channel.queue().fetchOne();
                } finally {
                    cq.ledger().raise();
                }
            }
        } finally {
            if (thrown) {
                turn.end();
                if (stop.isGiven()) {
                    incomplete();
                }
                cq.ledger().raise();
            }
        }
    }

    /**
     * Handles completions of one CQ.
     *
     * @return whether nothing of it is to be done: its next completion raises an event, or serving
     *     stops and what had arrived is handled
     */
    private boolean handleShare(CompletionQueue cq, WorkCompletions batch, HandlerCalls calls)
            throws InterruptedException {
        long left = Long.MAX_VALUE;
        boolean armed = false;
        for (int round = 0; ; round++) {
            if (isAbandoned()) {
                return false;
            }
            boolean stopping = stop.isGiven();
            if (stopping && left == Long.MAX_VALUE) {
                left = cq.cqe(); // see CqServing
            }
            int n = poll(cq, batch);
            if (n > 0) {
                handle(cq, batch, calls);
            } else if (n == 0 && round == 0) {
                cq.turn().foundNone();
            }
            if (n < 0 || (n == 0 && (armed || stopping))) {
                return true;
            }
            if (stopping) {
                left -= n;
                if (left <= 0) {
                    return true;
                }
            } else if (round >= SHARE) {
                return false;
            }
            armed = !stopping && n < batch.capacity() && arm(cq);
        }
    }

    private void handle(CompletionQueue cq, WorkCompletions batch, HandlerCalls calls)
            throws InterruptedException {
        calls.enter();
        try {
            handler.handle(cq, batch);
        } catch (Throwable e) {
            failed(e);
        } finally {
            calls.leave();
        }
    }

    /** How many completions it got; negative if no more come. */
    private int poll(CompletionQueue cq, WorkCompletions batch) throws InterruptedException {
        try {
            return cq.poll(batch);
        } catch (ClosedException e) {
            return -1;
        } catch (VerbsException e) {
            failed(e);
            return -1;
        }
    }

    private boolean arm(CompletionQueue cq) throws InterruptedException {
        try {
            cq.reqNotify(false);
        } catch (ClosedException e) {
            // The next poll says so, too.
        } catch (VerbsException e) {
            failed(e);
        }
        return true;
    }
}
