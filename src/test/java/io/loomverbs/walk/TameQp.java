package io.loomverbs.walk;

import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** A queue pair and what must hold of it: what is posted, and how that may complete. */
final class TameQp {
    /** A posted request. */
    record Posted(long wrId, boolean signaled, WcOpcode opcode) {}

    final QueuePair qp;
    final TameCq sendCq;
    final TameCq recvCq;
    final QpType type;
    final boolean sigAll;
    final Deque<Posted> sends = new ArrayDeque<>();
    final Deque<Posted> receives = new ArrayDeque<>();

    /** Discarded by a reset or a close; their completions may be in the CQ already. */
    private final Set<Long> discarded = new HashSet<>();

    /** The state that the last change led to; the device may go on to SQE or ERR by itself. */
    QpState state = QpState.RESET;

    boolean closed;
    TameQp peer;
    private boolean sendFailed;
    private boolean receiveFailed;

    TameQp(QueuePair qp, TameCq sendCq, TameCq recvCq) {
        QpConfig config = qp.config();
        this.qp = qp;
        this.sendCq = sendCq;
        this.recvCq = recvCq;
        this.type = config.type();
        this.sigAll = config.sqSigAll();
    }

    /** A change of state was accepted. */
    void changed(QpState to) {
        state = to;
        if (to == QpState.RESET) {
            discard();
        }
    }

    void discard() {
        sends.forEach(p -> discarded.add(p.wrId()));
        receives.forEach(p -> discarded.add(p.wrId()));
        sends.clear();
        receives.clear();
        sendFailed = false;
        receiveFailed = false;
    }

    void forgetDiscarded() {
        discarded.clear();
    }

    /** Whether the device may be in this state now. */
    boolean mayBeIn(QpState now) {
        return now == state
                || (now == QpState.ERR && state != QpState.RESET)
                || (now == QpState.SQE && type != QpType.RC && state == QpState.RTS)
                || (now == QpState.SQE && type != QpType.RC && state == QpState.SQD);
    }

    /** A completion was polled from a CQ: it must be due. */
    void completed(TameCq from, WorkCompletion wc) {
        if (discarded.remove(wc.wrId())) {
            return;
        }
        if (receives.stream().anyMatch(p -> p.wrId() == wc.wrId())) {
            received(from, wc);
        } else if (sends.stream().anyMatch(p -> p.wrId() == wc.wrId())) {
            sent(from, wc);
        } else {
            throw new AssertionError("completes twice, or was never posted: " + wc);
        }
    }

    private void received(TameCq from, WorkCompletion wc) {
        Posted oldest = receives.remove();
        require(from == recvCq, wc, "is in " + from.cq);
        require(oldest.wrId() == wc.wrId(), wc, "overtakes receive " + oldest.wrId());
        if (receiveFailed) {
            require(wc.status() == WcStatus.WR_FLUSH_ERR, wc, "is not flushed after a failure");
        }
        receiveFailed |= wc.status() != WcStatus.SUCCESS;
        if (wc.status() == WcStatus.SUCCESS) {
            require(
                    wc.opcode() == WcOpcode.RECV || wc.opcode() == WcOpcode.RECV_RDMA_WITH_IMM,
                    wc,
                    "has not the opcode of a receive");
        }
    }

    private void sent(TameCq from, WorkCompletion wc) {
        require(from == sendCq, wc, "is in " + from.cq);
        Posted p = sends.remove();
        while (p.wrId() != wc.wrId()) {
            require(!p.signaled(), wc, "overtakes send " + p.wrId());
            require(!sendFailed, wc, "overtakes flushed send " + p.wrId());
            p = sends.remove();
        }
        if (sendFailed) {
            require(wc.status() == WcStatus.WR_FLUSH_ERR, wc, "is not flushed after a failure");
        }
        // The others go to SQE, from where they may have been taken on before this was polled.
        sendFailed |= wc.status() != WcStatus.SUCCESS && type == QpType.RC;
        if (wc.status() == WcStatus.SUCCESS) {
            require(p.signaled(), wc, "was not signaled");
            require(wc.opcode() == p.opcode(), wc, "was posted as " + p.opcode());
        }
    }

    private void require(boolean holds, WorkCompletion wc, String otherwise) {
        if (!holds) {
            throw new AssertionError(qp + " in state " + state + ": " + wc + " " + otherwise);
        }
    }

    @Override
    public String toString() {
        return qp + " " + type + " " + state;
    }
}
