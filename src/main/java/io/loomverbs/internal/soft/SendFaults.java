package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.Future;

/**
 * The effects of its context's faults on the requests of one send queue. Used under the lock of the
 * {@link SendQueue}.
 */
final class SendFaults {
    /** An outcome: the request is executed as usual. */
    static final int NONE = Integer.MIN_VALUE;

    private final SoftQp qp;

    /** Whether {@code request} is the position of a request that was tried before. */
    private boolean begun;

    private int request;
    private int attempt;

    /** For the request at the head, if it is not due yet. */
    private @Nullable Future<?> alarm;

    private long alarmNanos;

    /** When the newest request is due; 0 if at once. Under the lock of the ring. */
    private long lastDueNanos;

    SendFaults(SoftQp qp) {
        this.qp = qp;
    }

    /** When a request is due that is posted now; 0 if at once. Under the lock of the ring. */
    long due(@Nullable FaultPlan plan, int request) {
        if (plan == null || plan.delay() == null) {
            lastDueNanos = 0;
            return 0;
        }
        long nanos = plan.delay().applyAsLong(plan.random(FaultPlan.DELAY, qp.ordinal, request, 0));
        long due = System.nanoTime() + nanos | 1; // 0 is for those that are due at once
        if (lastDueNanos == 0 || due - lastDueNanos > 0) {
            lastDueNanos = due;
        }
        return lastDueNanos;
    }

    /** Whether a request is due; if not, the queue is signalled when it is. */
    boolean isDue(SendSlot wr, Runnable signal) {
        long left = wr.dueNanos - System.nanoTime();
        if (left <= 0) {
            wr.dueNanos = 0;
            return true;
        }
        if (alarm == null || alarmNanos != wr.dueNanos) {
            end();
            alarmNanos = wr.dueNanos;
            try {
                alarm = qp.device.timer.in(left, signal);
            } catch (RuntimeException | Error noThread) {
                // The next look at the queue tries again.
            }
        }
        return false;
    }

    /** Calls off the alarm. */
    void end() {
        if (alarm != null) {
            alarm.cancel(false);
            alarm = null;
        }
    }

    /** The outcome of an attempt, or {@link #NONE}. */
    int outcome(FaultPlan plan, SendSlot wr, int position, DeferredNotifications after) {
        if (begun && request == position) {
            attempt++;
        } else {
            begun = true;
            request = position;
            attempt = 0;
            int status = plan.failureOfNext(qp);
            if (status != 0) {
                if (qp.type == Ibv.QPT_RC) {
                    failPeer(status, wr, after);
                }
                return status;
            }
        }
        boolean lost =
                plan.portDown()
                        || plan.happens(plan.lost(), FaultPlan.LOSS, qp.ordinal, request, attempt);
        if (lost) {
            return isEmitted(wr) ? unanswered() : NONE;
        }
        if (qp.type == Ibv.QPT_RC
                && needsReceive(wr)
                && plan.happens(plan.rnr(), FaultPlan.RNR, qp.ordinal, request, attempt)) {
            return isEmitted(wr) ? rnr() : NONE;
        }
        return NONE;
    }

    /** The sender's own device finds nothing wrong. */
    private boolean isEmitted(SendSlot wr) {
        if (wr.isLocal()) {
            return false;
        }
        if (qp.type == Ibv.QPT_UD && (wr.ah == null || !wr.ah.usableBy(qp.pd))) {
            return false;
        }
        if (wr.fetches()) {
            return qp.attr.maxRdAtomic > 0 && Transport.checkLength(wr) == Ibv.WC_SUCCESS;
        }
        return Transport.checkLocally(qp, wr) == Ibv.WC_SUCCESS;
    }

    private int unanswered() {
        return qp.type == Ibv.QPT_RC ? Transport.NO_ANSWER : Ibv.WC_SUCCESS;
    }

    private static boolean needsReceive(SendSlot wr) {
        return wr.opcode == Ibv.WR_SEND
                || wr.opcode == Ibv.WR_SEND_WITH_INV
                || wr.opcode == Ibv.WR_SEND_WITH_IMM
                || wr.opcode == Ibv.WR_RDMA_WRITE_WITH_IMM;
    }

    /** The peer's answer that it is not ready; {@link #NONE} if it would not answer at all. */
    private int rnr() {
        SoftQp to = qp.device.qps.find(qp.attr.destQpNum);
        if (to == null || !qp.reachesThePort()) {
            return NONE;
        }
        to.rq.lock();
        try {
            return to.hears(qp) ? Transport.RNR_NAK - to.attr.minRnrTimer : NONE;
        } finally {
            to.rq.unlock();
        }
    }

    /** A peer that gives this status has found an error of its own, and fails, too. */
    private void failPeer(int status, SendSlot wr, DeferredNotifications after) {
        int event =
                switch (status) {
                    case Ibv.WC_REM_INV_REQ_ERR -> Ibv.EVENT_QP_REQ_ERR;
                    case Ibv.WC_REM_ACCESS_ERR -> Ibv.EVENT_QP_ACCESS_ERR;
                    case Ibv.WC_REM_OP_ERR -> Ibv.EVENT_QP_FATAL;
                    default -> -1;
                };
        SoftQp to = event < 0 ? null : qp.device.qps.find(qp.attr.destQpNum);
        if (to == null) {
            return;
        }
        to.rq.lock();
        try {
            RecvSlot buffer = status == Ibv.WC_REM_OP_ERR ? to.rq.peek() : null;
            if (!to.hears(qp)) {
                return;
            }
            if (buffer != null && needsReceive(wr)) {
                to.receiveFailed(buffer, Ibv.WC_LOC_PROT_ERR, after); // as if it named bad memory
            } else {
                to.enterError(event, after);
            }
        } finally {
            to.rq.leave(after);
        }
    }
}
