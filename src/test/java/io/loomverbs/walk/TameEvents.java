package io.loomverbs.walk;

import io.loomverbs.AsyncEvent;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletion;

import java.time.Duration;

/** Polls, arms, receives events and acknowledges them. */
final class TameEvents {
    private final Tame tame;

    TameEvents(Tame tame) {
        this.tame = tame;
    }

    String poll(TameCq cq) {
        int n;
        int all = 0;
        do {
            try {
                n = cq.cq.poll(tame.batch);
            } catch (VerbsException e) {
                if (!e.errnoName().equals("EIO")) {
                    throw e;
                }
                cq.overrun = true;
                return "poll of " + cq + ": overrun";
            }
            for (int i = 0; i < n; i++) {
                WorkCompletion wc = tame.batch.get(i);
                TameQp qp = tame.byNumber.get(wc.qpNum());
                if (qp == null) {
                    throw new AssertionError(wc + " is of no queue pair");
                }
                qp.completed(cq, wc);
            }
            all += n;
        } while (n > 0);
        if (all > 0 && cq.surelyArmed) {
            cq.surelyArmed = false;
            cq.eventDue = true;
        }
        return "poll of " + cq + ": " + all;
    }

    String step(Dice dice) throws InterruptedException {
        TameCq cq = dice.of(tame.cqs);
        return switch (dice.below(6)) {
            case 0, 1 -> arm(cq, dice);
            case 2 -> {
                due(cq);
                yield "look for an event of " + cq;
            }
            case 3 -> acknowledge(cq, dice);
            case 4 -> tooMany(cq);
            default -> async();
        };
    }

    private String arm(TameCq cq, Dice dice) {
        boolean solicited = dice.oneIn(3);
        if (!cq.raisesEvents()) {
            try {
                cq.cq.reqNotify(solicited);
            } catch (IllegalStateException e) {
                return "arm without a channel";
            }
            throw new AssertionError(cq + " has no channel, but can be armed");
        }
        cq.cq.reqNotify(solicited);
        cq.arms++;
        if (!solicited && !cq.overrun) {
            poll(cq); // completions from before the arm raise no event, later ones must
            poll(cq);
            cq.surelyArmed = !cq.eventDue;
        }
        return "arm " + cq;
    }

    /** Receives what events there are. One must be there if it is due. */
    void due(TameCq cq) throws InterruptedException {
        if (!cq.raisesEvents()) {
            return;
        }
        boolean due = cq.eventDue && !cq.overrun;
        Duration patience = due ? World.PATIENCE.dividedBy(2) : Duration.ZERO;
        try {
            while (true) {
                CqEvent event =
                        cq.cq.isDirect()
                                ? cq.cq.getCqEvent(patience)
                                : cq.channel.getCqEvent(patience);
                if (event == null) {
                    break;
                }
                received(event);
                patience = cq.eventDue && due ? patience : Duration.ZERO;
            }
        } catch (VerbsException e) {
            if (!e.errnoName().equals("EIO")) {
                throw e;
            }
            cq.overrun = true;
            due = false;
        }
        if (due && cq.eventDue) {
            throw new AssertionError(cq + " was armed and got a completion, but has no event");
        }
    }

    private void received(CqEvent event) {
        for (TameCq cq : tame.cqs) {
            if (cq.cq == event.cq()) {
                cq.received(event);
                cq.surelyArmed = false;
                return;
            }
        }
        throw new AssertionError(event + " is of no open CQ");
    }

    private String acknowledge(TameCq cq, Dice dice) {
        if (cq.outstanding == 0) {
            return "nothing to acknowledge";
        }
        if (dice.oneIn(3)) {
            int n = 1 + dice.below(cq.outstanding);
            cq.cq.ackEvents(n);
            cq.outstanding -= n;
            for (int i = 0; i < n; i++) {
                cq.held.remove();
            }
            return "acknowledge " + n + " of " + cq;
        }
        CqEvent event = cq.held.remove();
        event.close();
        event.close(); // does nothing
        cq.outstanding--;
        return "acknowledge " + event;
    }

    private String tooMany(TameCq cq) {
        try {
            cq.cq.ackEvents(cq.outstanding + 1);
        } catch (IllegalStateException e) {
            return "one too many: " + e.getMessage();
        }
        throw new AssertionError(cq + " takes one acknowledgement too many");
    }

    private String async() throws InterruptedException {
        try (AsyncEvent event = tame.world.first.getAsyncEvent(Duration.ZERO)) {
            return "asynchronous: " + event;
        }
    }
}
