package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * The steps from RESET to INIT and on to RTS, with the values that rdma-core's pingpong programs
 * use.
 */
final class Connecting {
    private static final int MIN_RNR_TIMER_640_US = 12;
    private static final int TIMEOUT_67_MS = 14;
    private static final int RETRIES = 7;
    private static final int RNR_WITHOUT_END = 7;

    private static final int INIT_UD = Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_QKEY;
    private static final int INIT_RC_UC = Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_ACCESS_FLAGS;
    private static final int RTR_UC = Ibv.QP_AV | Ibv.QP_PATH_MTU | Ibv.QP_DEST_QPN | Ibv.QP_RQ_PSN;
    private static final int RTR_RC = Ibv.QP_MAX_DEST_RD_ATOMIC | Ibv.QP_MIN_RNR_TIMER;
    private static final int RTS_RC =
            Ibv.QP_TIMEOUT | Ibv.QP_RETRY_CNT | Ibv.QP_RNR_RETRY | Ibv.QP_MAX_QP_RD_ATOMIC;

    private Connecting() {}

    /**
     * From RESET to INIT.
     *
     * @param other attributes that are used instead, where they are set
     */
    static QpAttributes toInit(QueuePair qp, LocalPort local, QpAttributes other) {
        QpAttributes.Builder init =
                QpAttributes.builder().state(QpState.INIT).pkeyIndex(0).portNum(local.number());
        if (qp.type() == QpType.UD) {
            return init.qkey(0).override(other, INIT_UD).build();
        }
        return init.access().override(other, INIT_RC_UC).build();
    }

    /** The attributes of INIT that are set, for a queue pair in that state; null if none is. */
    static @Nullable QpAttributes again(QueuePair qp, QpAttributes other) {
        int mask = qp.type() == QpType.UD ? 0 : INIT_RC_UC;
        return (other.mask() & mask) == 0
                ? null
                : QpAttributes.builder().state(QpState.INIT).override(other, mask).build();
    }

    /** From INIT to RTS, for RC and UC. */
    static List<QpAttributes> steps(
            QueuePair qp, LocalPort local, QpEndpoint remote, QpAttributes other) {
        boolean rc = qp.type() == QpType.RC;
        Context context = qp.pd().context();
        DeviceAttributes limits = context.attributes();
        QpAttributes.Builder rtr =
                QpAttributes.builder()
                        .state(QpState.RTR)
                        .address(local.addressOf(remote))
                        .pathMtu(pathMtu(qp, context.port(local.number()), remote, other))
                        .destQpNum(remote.qpNum())
                        .rqPsn(remote.psn());
        QpAttributes.Builder rts = QpAttributes.builder().state(QpState.RTS).sqPsn(qp.psn());
        if (rc) {
            rtr.maxDestRdAtomic(Math.min(255, limits.maxQpReadAtomic()))
                    .minRnrTimer(MIN_RNR_TIMER_640_US);
            rts.timeout(TIMEOUT_67_MS)
                    .retryCnt(RETRIES)
                    .rnrRetry(RNR_WITHOUT_END)
                    .maxRdAtomic(Math.min(255, limits.maxQpInitReadAtomic()));
        }
        rtr.override(other, rc ? RTR_UC | RTR_RC : RTR_UC);
        rts.override(other, rc ? Ibv.QP_SQ_PSN | RTS_RC : Ibv.QP_SQ_PSN);
        return List.of(rtr.build(), rts.build());
    }

    /** From INIT to RTS, for UD. */
    static List<QpAttributes> steps(QueuePair qp, int qkey) {
        return List.of(
                QpAttributes.builder().state(QpState.RTR).qkey(qkey).build(),
                QpAttributes.builder().state(QpState.RTS).sqPsn(qp.psn()).build());
    }

    /** The smaller one of both ports; each end computes the same. */
    private static Mtu pathMtu(
            QueuePair qp, PortAttributes port, QpEndpoint remote, QpAttributes other) {
        Mtu here = LocalPort.known(port.activeMtu());
        if ((other.mask() & Ibv.QP_PATH_MTU) != 0) {
            Mtu wanted = other.pathMtu();
            if (remote.mtu() != Mtu.UNKNOWN && wanted.bytes() > remote.mtu().bytes()) {
                throw new IllegalArgumentException(
                        "pathMtu is "
                                + wanted
                                + ", but the peer's endpoint has "
                                + remote.mtu()
                                + ": give "
                                + qp
                                + " and its peer the same, or leave it out at both");
            }
            return wanted;
        }
        return remote.mtu() == Mtu.UNKNOWN || remote.mtu().bytes() > here.bytes()
                ? here
                : remote.mtu();
    }
}
