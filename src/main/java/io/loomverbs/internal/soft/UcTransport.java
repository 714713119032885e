package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

/**
 * Unreliable connection: messages that the peer cannot take are dropped, and the sender does not
 * learn of it.
 */
final class UcTransport implements Transport {
    static final UcTransport INSTANCE = new UcTransport();

    private UcTransport() {}

    @Override
    public int execute(SoftQp from, SendSlot wr, DeferredNotifications after) {
        int status = Transport.checkLocally(from, wr);
        if (status != Ibv.WC_SUCCESS) {
            return status;
        }
        SoftQp to = from.device.qps.find(from.attr.destQpNum);
        if (to == null || !from.reachesThePort()) {
            return Ibv.WC_SUCCESS;
        }
        to.rq.lock();
        try {
            if (!to.hears(from)) {
                return Ibv.WC_SUCCESS;
            }
            to.communicationEstablished(after);
            // The first packet of a message is taken whatever its number: IBA 9.8.2.2.
            to.attr.rqPsn = Psn.plus(from.attr.sqPsn, from.packetsOf(wr));
            if (to.cannotTakePacketsOf(from, wr)) {
                return Ibv.WC_SUCCESS;
            }
            boolean send =
                    wr.opcode != Ibv.WR_RDMA_WRITE && wr.opcode != Ibv.WR_RDMA_WRITE_WITH_IMM;
            return send ? send(from, wr, to, after) : write(from, wr, to, after);
        } finally {
            to.rq.leave(after);
        }
    }

    private static int send(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        RecvSlot buffer = to.rq.peek();
        if (buffer == null) {
            return Ibv.WC_SUCCESS;
        }
        if (wr.length > buffer.capacity) {
            Responder.dropTooLong(to, buffer, after);
            return Ibv.WC_SUCCESS;
        }
        int status = Responder.deliver(from, wr, to, buffer, 0, after);
        if (status == Ibv.WC_SUCCESS) {
            Responder.arrived(wr, to, buffer, after);
        }
        return status == Ibv.WC_REM_OP_ERR ? Ibv.WC_SUCCESS : status;
    }

    private static int write(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        RecvSlot buffer = wr.carriesImm() ? to.rq.peek() : null;
        if ((wr.carriesImm() && buffer == null)
                || !to.allows(Ibv.ACCESS_REMOTE_WRITE)
                || !SgCopy.usable(to, wr.remote, 1, Ibv.ACCESS_REMOTE_WRITE)) {
            return Ibv.WC_SUCCESS;
        }
        int copied = Responder.copyIn(from, wr, to);
        if (copied == SgCopy.SOURCE_FAULT) {
            return Ibv.WC_LOC_PROT_ERR;
        }
        if (copied == SgCopy.DONE && buffer != null) {
            Responder.received(wr, to, buffer, wr.length, 0, 0, 0, after);
        }
        return Ibv.WC_SUCCESS;
    }
}
