package io.loomverbs;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.EventQueueEndedException;
import io.loomverbs.internal.event.StopSignal;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

/** Waits for completions of a CQ. */
final class CqAwait {
    /** Whether the peer can have another processor while a thread polls. */
    private static final boolean CAN_POLL = Runtime.getRuntime().availableProcessors() > 1;

    private CqAwait() {}

    /*
     * The order matters. Completions from before the arm raise no event, so the poll after the arm
     * must find them. A completion after that poll finds the CQ armed and raises the event that
     * ends the wait. An event may be stale: a poll may have taken the completion that raised it.
     * Then the CQ is empty and not armed, so every round arms anew. Polling for longer, as a
     * strategy may want, comes before the arm, so it changes nothing of this.
     *
     * A thread that lacks several completions arms for that many, where the device can count. The
     * device does not count the completions that the poll after the arm finds, so the thread arms
     * again, for fewer. If another thread has begun to wait meanwhile, it also arms again: for the
     * next completion.
     *
     * Several threads can do this at once. They share the arm, and its event goes to one of them.
     * EventQueue describes how the others are kept from waiting for an event that is never raised.
     *
     * A signal to stop ends the wait. The CQ is polled once more after it was seen: what had
     * arrived when it was given is found, or left to the caller's next poll if the batch is full.
     */
    static int await(
            DirectReceiver receiver,
            WorkCompletions batch,
            int min,
            long nanos,
            WaitStrategy strategy,
            @Nullable StopSignal stop)
            throws InterruptedException {
        CompletionQueue cq = receiver.cq;
        EventQueue queue = receiver.queue;
        boolean timed = nanos != Long.MAX_VALUE;
        long start = timed && nanos > 0 ? System.nanoTime() : 0;
        Fairness.before(queue, nanos);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        batch.size(0);
        int n = cq.pollMore(batch);
        boolean usedArm = false;
        boolean joined = false;
        try {
            AdaptivePolling adaptive = null;
            if (n < min && nanos > 0 && CAN_POLL) {
                if (strategy == WaitStrategy.POLLING) {
                    return EndlessPolling.poll(cq, batch, min, start, nanos, stop);
                }
                adaptive = strategy == WaitStrategy.ADAPTIVE ? receiver.adaptivePolling() : null;
            }
            while (n < min && nanos > 0) {
                if (stop != null && stop.isGiven()) {
                    cq.pollMore(batch);
                    break;
                }
                if (adaptive != null && adaptive.poll(cq, batch, min, start, nanos, stop)) {
                    break;
                }
                if (!joined && stop == null) {
                    receiver.join();
                    joined = true;
                }
                int seen = queue.delivered();
                int armedFor;
                do {
                    armedFor = receiver.armFor(min - n);
                    cq.reqNotify(armedFor);
                    n = cq.pollMore(batch);
                } while (n < min && receiver.armFor(min - n) < armedFor);
                if (n >= min) {
                    // The batch may be full: completions left from before this arm raise no event.
                    break;
                }
                long left = timed ? nanos - (System.nanoTime() - start) : nanos;
                boolean times = adaptive != null && adaptive.isToTime();
                long parked = times ? System.nanoTime() : 0;
                RecordedWait wait = Recorder.beginWait();
                try {
                    usedArm = queue.takeUnlessPassed(left, seen, stop) != null;
                } finally {
                    Recorder.endWait(wait, cq, stop == null ? "await" : "serve", usedArm);
                }
                if (usedArm) {
                    cq.ackAwaited();
                    if (Recorder.recordsArms()) {
                        cq.receivedWhileRecording();
                    }
                    if (adaptive != null && times) {
                        adaptive.waited(System.nanoTime() - parked);
                    }
                }
                int had = n;
                n = cq.pollMore(batch);
                if (usedArm && n == had) {
                    receiver.foundNone();
                }
                left = timed ? nanos - (System.nanoTime() - start) : nanos;
                if (!usedArm && left <= 0) {
                    break;
                }
                if (n < min) {
                    Fairness.before(queue, left);
                }
            }
        } catch (EventQueueEndedException e) {
            // A CQ that has overrun still holds earlier completions, unless it is closed by now.
            if (batch.isEmpty() && (cq.ledger().isClosed() || cq.pollMore(batch) == 0)) {
                throw receiver.ended(e);
            }
        } catch (ClosedException | VerbsException e) {
            if (batch.isEmpty()) {
                throw e;
            }
        } catch (InterruptedException e) {
            if (batch.isEmpty()) {
                throw e;
            }
            Thread.currentThread().interrupt();
        } finally {
            try {
                if (usedArm) {
                    pass(receiver);
                }
            } finally {
                if (joined) {
                    receiver.leave();
                }
            }
        }
        return batch.size();
    }

    /**
     * Passes on the event of an arm, as completions may be left. If only one thread may receive,
     * because it began to serve after this one began to wait, it gets the event even if it does not
     * wait at the moment: the arm may have been its own.
     */
    private static void pass(DirectReceiver receiver) {
        Thread server = receiver.server();
        if (server != null && server != Thread.currentThread()) {
            receiver.cq.ledger().raise();
        } else {
            receiver.cq.ledger().passOn();
        }
    }
}
