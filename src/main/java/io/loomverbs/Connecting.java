package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.util.List;

/** The steps from RESET to RTS, with the values that rdma-core's pingpong programs use. */
final class Connecting {
    private static final int MIN_RNR_TIMER_640_US = 12;
    private static final int TIMEOUT_67_MS = 14;
    private static final int RETRIES = 7;
    private static final int RNR_FOR_EVER = 7;

    private static final int INIT_RC_UC = Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_ACCESS_FLAGS;
    private static final int RTR_UC = Ibv.QP_AV | Ibv.QP_PATH_MTU | Ibv.QP_DEST_QPN | Ibv.QP_RQ_PSN;
    private static final int RTR_RC = Ibv.QP_MAX_DEST_RD_ATOMIC | Ibv.QP_MIN_RNR_TIMER;
    private static final int RTS_RC =
            Ibv.QP_TIMEOUT | Ibv.QP_RETRY_CNT | Ibv.QP_RNR_RETRY | Ibv.QP_MAX_QP_RD_ATOMIC;

    private Connecting() {}

    /** For RC and UC. */
    static List<QpAttributes> steps(QueuePair qp, QpEndpoint remote, QpAttributes other) {
        boolean rc = qp.type() == QpType.RC;
        Context context = qp.pd().context();
        DeviceAttributes limits = context.attributes();
        QpAttributes.Builder init =
                QpAttributes.builder().state(QpState.INIT).pkeyIndex(0).portNum(1).access();
        init.override(other, INIT_RC_UC);

        QpAttributes.Builder rtr =
                QpAttributes.builder()
                        .state(QpState.RTR)
                        .address(addressOf(remote))
                        .pathMtu(known(context.port(1).activeMtu()))
                        .destQpNum(remote.qpNum())
                        .rqPsn(remote.psn());
        QpAttributes.Builder rts =
                QpAttributes.builder().state(QpState.RTS).sqPsn(qp.endpoint().psn());
        if (rc) {
            rtr.maxDestRdAtomic(Math.min(255, limits.maxQpReadAtomic()))
                    .minRnrTimer(MIN_RNR_TIMER_640_US);
            rts.timeout(TIMEOUT_67_MS)
                    .retryCnt(RETRIES)
                    .rnrRetry(RNR_FOR_EVER)
                    .maxRdAtomic(Math.min(255, limits.maxQpInitReadAtomic()));
        }
        rtr.override(other, rc ? RTR_UC | RTR_RC : RTR_UC);
        rts.override(other, rc ? Ibv.QP_SQ_PSN | RTS_RC : Ibv.QP_SQ_PSN);
        return List.of(init.build(), rtr.build(), rts.build());
    }

    /** For UD. */
    static List<QpAttributes> steps(QueuePair qp, int qkey) {
        return List.of(
                QpAttributes.builder()
                        .state(QpState.INIT)
                        .pkeyIndex(0)
                        .portNum(1)
                        .qkey(qkey)
                        .build(),
                QpAttributes.builder().state(QpState.RTR).build(),
                QpAttributes.builder().state(QpState.RTS).sqPsn(qp.endpoint().psn()).build());
    }

    /**
     * The least that every device can do, where the port says something that verbs has no name for.
     */
    private static Mtu known(Mtu active) {
        return active == Mtu.UNKNOWN ? Mtu.MTU_256 : active;
    }

    private static AhAttributes addressOf(QpEndpoint remote) {
        Gid gid = remote.gid();
        return gid == null
                ? new AhAttributes(1, remote.lid(), 0, null, 0, 0, 0, 0)
                : AhAttributes.of(gid, remote.lid());
    }
}
