package io.loomverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.UsualCauses;

import org.jspecify.annotations.Nullable;

/** Says why a queue pair did not take a work request. */
final class PostRefusal {
    private PostRefusal() {}

    /**
     * @param excess what the request has too many of; empty if nothing
     * @param max how many requests the queue was granted
     */
    static PostException of(QueuePair qp, String verb, long result, String excess, int max) {
        int errno = PostResult.errno(result);
        int accepted = PostResult.accepted(result);
        String queue = verb.equals(QueuePair.POST_RECV) ? "receive queue" : "send queue";
        if (accepted == PostResult.UNKNOWN) {
            return new PostException(
                    verb,
                    errno,
                    accepted,
                    "the device does not say how many requests of the chain "
                            + qp
                            + " has taken: any may be in its "
                            + queue
                            + " and be done later; take it to ERR or RESET before they are"
                            + " posted again"
                            + UsualCauses.of(verb, errno));
        }
        String refusal = " does not take request " + accepted + " of the chain: ";
        String why;
        if (max == 0) {
            why = qp + " has no " + queue + ": it was created for 0 requests";
        } else if (!excess.isEmpty()) {
            why = qp + refusal + "it has " + excess;
        } else if (errno == Errno.ENOMEM) {
            why = "the " + queue + " of " + qp + " is full: it was granted " + max;
        } else {
            QpState state = Diagnosis.of(qp::state);
            why = qp + " in state " + Diagnosis.text(state) + refusal + needs(qp, verb, state);
        }
        return new PostException(verb, errno, accepted, why);
    }

    /** The step that is needed before a request can be posted. */
    private static String needs(QueuePair qp, String verb, @Nullable QpState state) {
        String first = qp.type() == QpType.UD ? "activate it first" : "connect it first";
        if (verb.equals(QueuePair.POST_RECV) && state == QpState.RESET) {
            return "to receive, it must be in state INIT, RTR or RTS: init it first";
        }
        if (!verb.equals(QueuePair.POST_RECV)
                && (state == QpState.RESET || state == QpState.INIT || state == QpState.RTR)) {
            return "to send, it must be in state RTS: " + first;
        }
        return "its state or its type, " + qp.type() + ", does not allow it";
    }
}
