package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

/** Unreliable datagram: one packet to the queue pair that the request names, if there is one. */
final class UdTransport implements Transport {
    static final UdTransport INSTANCE = new UdTransport();

    /** The number to which a multicast message is sent. */
    private static final int MULTICAST_QPN = 0xffffff;

    private UdTransport() {}

    @Override
    public int execute(SoftQp from, SendSlot wr, DeferredNotifications after) {
        SoftAh ah = wr.ah;
        if (ah == null || !ah.usableBy(from.pd)) {
            return Ibv.WC_LOC_QP_OP_ERR;
        }
        int status = Transport.checkLocally(from, wr);
        if (status != Ibv.WC_SUCCESS) {
            return status;
        }
        // IBA C10-93.1.1: what does not fit into a packet is not emitted, which is no error.
        if (wr.length > SoftPort.MTU_BYTES) {
            return Ibv.WC_SUCCESS;
        }
        if (ah.attr.global()
                && MulticastGroups.isMulticast(ah.attr.dgidHigh(), ah.attr.dgidLow())) {
            return multicast(from, wr, ah, after);
        }
        SoftQp to = from.device.qps.find(wr.remoteQpn);
        if (to == null || !from.device.port.isAddressedBy(ah.attr)) {
            return Ibv.WC_SUCCESS;
        }
        return receive(from, wr, ah, to, after);
    }

    /** To all that are attached, the sender too if it is, until it turns out to have no data. */
    private static int multicast(SoftQp from, SendSlot wr, SoftAh ah, DeferredNotifications after) {
        if (wr.remoteQpn != MULTICAST_QPN) {
            return Ibv.WC_SUCCESS;
        }
        int status = Ibv.WC_SUCCESS;
        for (SoftQp to : from.device.multicast.attached(ah.attr.dgidHigh(), ah.attr.dgidLow())) {
            if (status == Ibv.WC_SUCCESS) {
                status = receive(from, wr, ah, to, after);
            }
        }
        return status;
    }

    private static int receive(
            SoftQp from, SendSlot wr, SoftAh ah, SoftQp to, DeferredNotifications after) {
        if (to.type != Ibv.QPT_UD) {
            return Ibv.WC_SUCCESS;
        }
        int qkey = wr.remoteQkey < 0 ? from.attr.qkey : wr.remoteQkey;
        to.rq.lock();
        try {
            RecvSlot buffer = to.receives() && to.attr.qkey == qkey ? to.rq.peek() : null;
            if (buffer == null) {
                return Ibv.WC_SUCCESS;
            }
            if (wr.length + Ibv.GRH_BYTES > buffer.capacity) {
                Responder.dropTooLong(to, buffer, after);
                return Ibv.WC_SUCCESS;
            }
            return deliver(from, wr, ah, to, buffer, after);
        } finally {
            to.rq.leave(after);
        }
    }

    private static int deliver(
            SoftQp from,
            SendSlot wr,
            SoftAh ah,
            SoftQp to,
            RecvSlot buffer,
            DeferredNotifications after) {
        int flags = 0;
        int status = Responder.deliver(from, wr, to, buffer, Ibv.GRH_BYTES, after);
        if (status == Ibv.WC_SUCCESS && ah.attr.global()) {
            flags = Ibv.WC_GRH;
            status =
                    Responder.deliverHeader(
                            Grh.of(wr, ah.attr, from.device.port), to, buffer, after);
        }
        if (status == Ibv.WC_SUCCESS) {
            Responder.received(
                    wr,
                    to,
                    buffer,
                    wr.length + Ibv.GRH_BYTES,
                    flags,
                    from.qpNum(),
                    SoftPort.LID,
                    after);
        }
        return status == Ibv.WC_REM_OP_ERR ? Ibv.WC_SUCCESS : status;
    }
}
