package io.loomverbs.walk;

import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Changes the states of queue pairs, and closes them and their CQs. */
final class TameStates {

    private static final Duration QUIET = Duration.ofMillis(20);

    private final Tame tame;

    TameStates(Tame tame) {
        this.tame = tame;
    }

    String change(Dice dice) {
        TameQp qp = dice.of(tame.qps);
        checkState(qp);
        return switch (dice.below(8)) {
            case 0, 1, 2, 3 -> connect(qp) + connect(qp.peer);
            case 4 -> modify(qp, QpAttributes.builder().state(QpState.ERR).build());
            case 5 -> modify(qp, QpAttributes.builder().state(QpState.RESET).build());
            case 6 -> {
                QpState to = dice.of(QpState.SQD, QpState.RTS, QpState.RTR);
                yield modify(qp, QpAttributes.builder().state(to).build());
            }
            default -> modify(qp, new Values(tame.world, dice).attributes());
        };
    }

    String connect(TameQp qp) {
        if (qp.closed) {
            return qp + " is closed. ";
        }
        if (qp.qp.state() != QpState.RESET && qp.qp.state() != QpState.INIT) {
            modify(qp, QpAttributes.builder().state(QpState.RESET).build());
        }
        if (qp.peer.closed && qp.type != QpType.UD) {
            return qp + " has no peer. ";
        }
        try {
            toRts(qp);
        } catch (VerbsException e) {
            if (qp.qp.state() != QpState.ERR) {
                throw e;
            }
            qp.changed(QpState.ERR); // a request of the peer came at once, and was a bad one
            return qp + " failed. ";
        }
        qp.changed(QpState.RTS);
        return qp + " is connected. ";
    }

    private static void toRts(TameQp qp) {
        if (qp.type == QpType.UD) {
            qp.qp.activate(Tame.QKEY);
            return;
        }
        QpAttributes.Builder other = QpAttributes.builder().access(Fixture.anything());
        if (qp.type == QpType.RC) {
            other.timeout(5).retryCnt(1).rnrRetry(2).minRnrTimer(1);
        }
        qp.qp.connect(qp.peer.qp.endpoint(), other.build());
    }

    private String modify(TameQp qp, QpAttributes change) {
        QpState before = qp.state;
        QpState to = change.toString().contains("IBV_QP_STATE") ? change.state() : before;
        String text = "modify " + qp + " to " + to + " with " + change;
        try {
            qp.qp.modify(change);
        } catch (VerbsException e) {
            checkState(qp);
            return text + ": " + e.getMessage();
        }
        qp.changed(to);
        if (to == QpState.RESET) {
            discarded(qp);
        }
        checkState(qp);
        return text;
    }

    /** What the CQs hold already may still be polled. After that, none of it may complete. */
    private void discarded(TameQp qp) {
        tame.events().poll(qp.sendCq);
        tame.events().poll(qp.recvCq);
        qp.forgetDiscarded();
    }

    private static void checkState(TameQp qp) {
        QpState now = qp.qp.state();
        if (!qp.mayBeIn(now)) {
            throw new AssertionError(qp + " is in state " + now);
        }
    }

    String close(Dice dice) throws InterruptedException {
        if (dice.oneIn(2)) {
            TameQp qp = dice.of(tame.qps);
            if (dice.oneIn(2)) {
                flush(qp);
            }
            tame.world.acknowledgeAsyncEventsOf(qp.qp);
            qp.qp.close();
            tame.world.known(qp.qp).open = false;
            qp.closed = true;
            qp.discard();
            discarded(qp);
            tame.qps.remove(qp);
            return "closed " + qp;
        }
        TameCq cq = dice.of(tame.cqs);
        boolean used = !tame.world.openUsersOf(cq.cq).isEmpty();
        tame.world.acknowledgeAsyncEventsOf(cq.cq);
        String expected = used ? "EBUSY" : cq.outstanding > 0 ? "ETIMEDOUT" : "closed";
        String outcome = "closed";
        try {
            cq.cq.close(Duration.ofMillis(dice.of(0, 1)));
            cq.closed = true;
            tame.world.known(cq.cq).open = false;
            tame.cqs.remove(cq);
        } catch (VerbsException e) {
            outcome = e.errnoName();
        }
        if (!outcome.equals(expected)) {
            throw new AssertionError(
                    "close of " + cq + " ended with " + outcome + ", not " + expected);
        }
        return "close of " + cq + ": " + outcome;
    }

    /** To ERR, after which everything that is posted must complete, unless a CQ has overrun. */
    void flush(TameQp qp) {
        if (qp.qp.state() == QpState.RESET) {
            return;
        }
        modify(qp, QpAttributes.builder().state(QpState.ERR).build());
        long start = System.nanoTime();
        while (!qp.sends.isEmpty() || !qp.receives.isEmpty()) {
            tame.events().poll(qp.sendCq);
            tame.events().poll(qp.recvCq);
            if (qp.sendCq.overrun || qp.recvCq.overrun) {
                qp.discard();
                return;
            }
            boolean onlyUnsignaled =
                    qp.receives.isEmpty() && qp.sends.stream().noneMatch(TameQp.Posted::signaled);
            if (onlyUnsignaled && System.nanoTime() - start > QUIET.toNanos()) {
                qp.discard(); // they were done already, and have no completions
                return;
            }
            if (System.nanoTime() - start > World.PATIENCE.toNanos() / 2) {
                throw new AssertionError(
                        qp + " in ERR keeps sends " + qp.sends + " and receives " + qp.receives);
            }
            LockSupport.parkNanos(20_000);
        }
    }
}
