package io.loomverbs.blocking;

import io.loomverbs.QpConfig;
import io.loomverbs.QueuePair;

/**
 * The room of a queue pair in its CQs, so that they never overrun.
 *
 * @param sends the dispatcher of the CQ of the send queue
 * @param receives the dispatcher of the CQ of the receive queue
 * @param sendCount how many requests may be posted at once
 * @param receiveCount how many receives may be posted at once
 */
record Reservation(Dispatcher sends, Dispatcher receives, int sendCount, int receiveCount) {
    static Reservation of(QueuePair qp, RequestsConfig config, QpConfig granted) {
        int wanted = config.sends() > 0 ? config.sends() : granted.maxSendWr();
        int receives = config.receives();
        boolean shared = receives == 0 || qp.sendCq() == qp.recvCq();
        int with = shared ? receives : 0;
        Dispatcher.Share share =
                Dispatcher.reserve(qp.sendCq(), with + Math.min(1, wanted), with + wanted);
        Dispatcher of = share.of();
        int sends = share.completions() - with;
        if (shared) {
            return new Reservation(of, of, sends, receives);
        }
        boolean done = false;
        try {
            Dispatcher other = Dispatcher.reserve(qp.recvCq(), receives);
            done = true;
            return new Reservation(of, other, sends, receives);
        } finally {
            if (!done) {
                of.unreserve(sends);
            }
        }
    }

    void release() {
        if (sends == receives) {
            sends.unreserve(sendCount + receiveCount);
        } else {
            sends.unreserve(sendCount);
            receives.unreserve(receiveCount);
        }
    }
}
