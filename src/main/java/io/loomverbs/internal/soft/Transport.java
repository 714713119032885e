package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;

/** Executes the send requests of one type of queue pair. */
interface Transport {
    /** The peer did not answer: it is absent, not ready, or connected to another. */
    int NO_ANSWER = -1;

    /** The peer expects an earlier packet. */
    int SEQUENCE_NAK = -2;

    /** The peer has no receive buffer: this minus its {@code min_rnr_timer}. */
    int RNR_NAK = -3;

    /**
     * Executes one request; called under the lock of the sender's {@link SendQueue}.
     *
     * @return a work completion status, {@link #NO_ANSWER}, {@link #SEQUENCE_NAK}, or {@link
     *     #RNR_NAK} minus a timer code
     */
    int execute(SoftQp from, SendSlot wr, DeferredNotifications after);

    static Transport of(int qpType) {
        return switch (qpType) {
            case Ibv.QPT_RC -> RcTransport.INSTANCE;
            case Ibv.QPT_UC -> UcTransport.INSTANCE;
            default -> UdTransport.INSTANCE;
        };
    }

    /** The errors that the sender's own device finds before anything is sent. */
    static int checkLocally(SoftQp from, SendSlot wr) {
        int status = checkLength(wr);
        if (status != Ibv.WC_SUCCESS) {
            return status;
        }
        return SgCopy.usable(from.pd, wr.sges, wr.numSge, 0) ? Ibv.WC_SUCCESS : Ibv.WC_LOC_PROT_ERR;
    }

    static int checkLength(SendSlot wr) {
        return wr.length > SoftPort.MAX_MSG_BYTES ? Ibv.WC_LOC_LEN_ERR : Ibv.WC_SUCCESS;
    }
}
