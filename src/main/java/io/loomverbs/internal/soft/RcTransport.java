package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

/** Reliable connection: the peer acknowledges, or says why not. */
final class RcTransport implements Transport {
    static final RcTransport INSTANCE = new RcTransport();

    private RcTransport() {}

    @Override
    public int execute(SoftQp from, SendSlot wr, DeferredNotifications after) {
        boolean fetches = wr.opcode == Ibv.WR_RDMA_READ || wr.isAtomic();
        int status = Transport.checkLocally(from, wr, fetches ? Ibv.ACCESS_LOCAL_WRITE : 0);
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
            if (status == Ibv.WC_SUCCESS) {
                to.attr.rqPsn = Psn.plus(to.attr.rqPsn, to.packetsOf(wr));
            }
            return status;
        } finally {
            to.rq.leave(after);
        }
    }

    private static int perform(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        return switch (wr.opcode) {
            case Ibv.WR_SEND, Ibv.WR_SEND_WITH_IMM -> Responder.send(from, wr, to, after);
            case Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM ->
                    Responder.write(from, wr, to, after);
            case Ibv.WR_RDMA_READ -> Responder.read(from, wr, to, after);
            default -> Responder.atomic(from, wr, to, after);
        };
    }

    /** Something before this packet seems lost: said once, until what is missing has come. */
    private static int outOfSequence(SoftQp to) {
        if (to.sequenceNakSent) {
            return NO_ANSWER;
        }
        to.sequenceNakSent = true;
        return SEQUENCE_NAK;
    }

    /**
     * Packets that have come before, as far as the responder can tell: IBA 9.7.5.1.2. What they
     * carry is dropped, and acknowledged once more; a READ is read again. The result of an atomic
     * would be repeated from memory, but none is ever lost here, so there is none to repeat.
     */
    private static int duplicate(
            SoftQp from, SendSlot wr, SoftQp to, int ahead, DeferredNotifications after) {
        if (wr.isAtomic()) {
            return NO_ANSWER;
        }
        if (wr.opcode == Ibv.WR_RDMA_READ) {
            return Responder.read(from, wr, to, after);
        }
        // The rest of a message whose first packet was a duplicate is a message without a first.
        return ahead + from.packetsOf(wr) > 0 ? Responder.refuse(to, after) : Ibv.WC_SUCCESS;
    }
}
