package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

/** Reliable connection: whatever goes wrong at the peer comes back as a status. */
final class RcTransport implements Transport {
    static final RcTransport INSTANCE = new RcTransport();

    private RcTransport() {}

    @Override
    public int execute(SoftQp from, SendSlot wr, AfterLocks after) {
        boolean fetches = wr.opcode == Ibv.WR_RDMA_READ || wr.isAtomic();
        int status = Transport.checkLocally(from, wr, fetches ? Ibv.ACCESS_LOCAL_WRITE : 0);
        if (status != Ibv.WC_SUCCESS) {
            return status;
        }
        if (fetches && from.attr.maxRdAtomic == 0) {
            return Ibv.WC_LOC_QP_OP_ERR;
        }
        SoftQp to = from.pd.device.qps.find(from.attr.destQpNum);
        if (to == null) {
            return NO_ANSWER;
        }
        to.rq.lock();
        try {
            if (!to.hears(from)) {
                return NO_ANSWER;
            }
            to.communicationEstablished(after);
            return switch (wr.opcode) {
                case Ibv.WR_SEND, Ibv.WR_SEND_WITH_IMM -> Responder.send(from, wr, to, after);
                case Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM ->
                        Responder.write(from, wr, to, after);
                case Ibv.WR_RDMA_READ -> Responder.read(from, wr, to, after);
                default -> Responder.atomic(from, wr, to, after);
            };
        } finally {
            to.rq.unlock();
        }
    }
}
