package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;

/** Reliable connection: the peer acknowledges, or reports the reason why not. */
final class RcTransport implements Transport {
    static final RcTransport INSTANCE = new RcTransport();

    private RcTransport() {}

    @Override
    public int execute(SoftQp from, SendSlot wr, DeferredNotifications after) {
        boolean fetches = wr.fetches();
        // The memory for an answer is looked at when there is one.
        int status = fetches ? Transport.checkLength(wr) : Transport.checkLocally(from, wr);
        if (status != Ibv.WC_SUCCESS) {
            return status;
        }
        if (fetches && from.attr.maxRdAtomic == 0) {
            return Ibv.WC_LOC_QP_OP_ERR;
        }
        SoftQp to = from.device.qps.find(from.attr.destQpNum);
        if (to == null || !from.reachesThePort()) {
            return NO_ANSWER;
        }
        to.rq.lock();
        try {
            if (!to.hears(from)) {
                return NO_ANSWER;
            }
            int ahead = Psn.ahead(from.attr.sqPsn, to.attr.rqPsn);
            if (ahead != 0) {
                return ahead > 0 ? outOfSequence(to) : duplicate(from, wr, to, ahead, after);
            }
            to.sequenceNakSent = false;
            to.communicationEstablished(after);
            status = perform(from, wr, to, after);
            if (status == Ibv.WC_SUCCESS || (fetches && isOwnFault(status))) {
                int packets = to.packetsOf(wr);
                if (fetches) {
                    to.fetched.add(wr, to.attr.rqPsn, packets);
                }
                to.attr.rqPsn = Psn.plus(to.attr.rqPsn, packets);
            }
            return status;
        } finally {
            to.rq.leave(after);
        }
    }

    /** Whether the responder has answered, and the sender could not take the answer. */
    private static boolean isOwnFault(int status) {
        return status == Ibv.WC_LOC_PROT_ERR || status == Ibv.WC_BAD_RESP_ERR;
    }

    private static int perform(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        return switch (wr.opcode) {
            case Ibv.WR_SEND, Ibv.WR_SEND_WITH_IMM, Ibv.WR_SEND_WITH_INV ->
                    Responder.send(from, wr, to, after);
            case Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM ->
                    Responder.write(from, wr, to, after);
            case Ibv.WR_RDMA_READ -> Responder.read(from, wr, to, after);
            default -> Responder.atomic(from, wr, to, after);
        };
    }

    /**
     * Something before this packet seems lost: reported once, until the missing packets have come.
     */
    private static int outOfSequence(SoftQp to) {
        if (to.sequenceNakSent) {
            return NO_ANSWER;
        }
        to.sequenceNakSent = true;
        return SEQUENCE_NAK;
    }

    /**
     * Packets that look like duplicates to the responder: IBA 9.7.5.1.2. Their payload is dropped,
     * and acknowledged once more. A READ is read again, and the result of an atomic repeated, if
     * the responder still knows it. No answer is ever lost here, so this happens only to an end
     * that counts its packets differently from the responder.
     */
    private static int duplicate(
            SoftQp from, SendSlot wr, SoftQp to, int ahead, DeferredNotifications after) {
        if (wr.fetches()) {
            int kept = to.fetched.find(wr, from.attr.sqPsn);
            if (kept == FetchHistory.NOT_KEPT) {
                return NO_ANSWER;
            }
            if (wr.opcode == Ibv.WR_RDMA_READ) {
                return Responder.respond(from, wr, to, after);
            }
            wr.scratch(Long.BYTES).set(JAVA_LONG, 0, to.fetched.result(kept));
            return Responder.returnResult(from, wr);
        }
        // The rest of a message whose first packet was a duplicate is a message without a first.
        return ahead + from.packetsOf(wr) > 0 ? Responder.refuse(to, after) : Ibv.WC_SUCCESS;
    }
}
