package io.loomverbs.internal.soft;

import static io.loomverbs.internal.device.Ibv.QPS_ERR;
import static io.loomverbs.internal.device.Ibv.QPS_INIT;
import static io.loomverbs.internal.device.Ibv.QPS_RESET;
import static io.loomverbs.internal.device.Ibv.QPS_RTR;
import static io.loomverbs.internal.device.Ibv.QPS_RTS;
import static io.loomverbs.internal.device.Ibv.QPS_SQD;
import static io.loomverbs.internal.device.Ibv.QPS_SQE;
import static io.loomverbs.internal.device.Ibv.QPT_RC;
import static io.loomverbs.internal.device.Ibv.QPT_UC;
import static io.loomverbs.internal.device.Ibv.QPT_UD;
import static io.loomverbs.internal.device.Ibv.QP_ACCESS_FLAGS;
import static io.loomverbs.internal.device.Ibv.QP_ALT_PATH;
import static io.loomverbs.internal.device.Ibv.QP_AV;
import static io.loomverbs.internal.device.Ibv.QP_CUR_STATE;
import static io.loomverbs.internal.device.Ibv.QP_DEST_QPN;
import static io.loomverbs.internal.device.Ibv.QP_EN_SQD_ASYNC_NOTIFY;
import static io.loomverbs.internal.device.Ibv.QP_MAX_DEST_RD_ATOMIC;
import static io.loomverbs.internal.device.Ibv.QP_MAX_QP_RD_ATOMIC;
import static io.loomverbs.internal.device.Ibv.QP_MIN_RNR_TIMER;
import static io.loomverbs.internal.device.Ibv.QP_PATH_MIG_STATE;
import static io.loomverbs.internal.device.Ibv.QP_PATH_MTU;
import static io.loomverbs.internal.device.Ibv.QP_PKEY_INDEX;
import static io.loomverbs.internal.device.Ibv.QP_PORT;
import static io.loomverbs.internal.device.Ibv.QP_QKEY;
import static io.loomverbs.internal.device.Ibv.QP_RETRY_CNT;
import static io.loomverbs.internal.device.Ibv.QP_RNR_RETRY;
import static io.loomverbs.internal.device.Ibv.QP_RQ_PSN;
import static io.loomverbs.internal.device.Ibv.QP_SQ_PSN;
import static io.loomverbs.internal.device.Ibv.QP_STATE;
import static io.loomverbs.internal.device.Ibv.QP_TIMEOUT;

/**
 * Which changes of state a queue pair can make, and with which attributes: IBA 10.3.1 and its table
 * 91, as the Linux kernel reads them.
 */
final class QpTransitions {
    private static final int STATES = QPS_ERR + 1;
    private static final int TYPES = QPT_UD + 1;

    /** By from * STATES + to. */
    private static final boolean[] VALID = new boolean[STATES * STATES];

    /** By (from * STATES + to) * TYPES + type. */
    private static final int[] REQUIRED = new int[STATES * STATES * TYPES];

    private static final int[] OPTIONAL = new int[STATES * STATES * TYPES];

    static {
        int connected = QP_PKEY_INDEX | QP_PORT | QP_ACCESS_FLAGS;
        int datagram = QP_PKEY_INDEX | QP_PORT | QP_QKEY;
        int migration = QP_ALT_PATH | QP_PATH_MIG_STATE;

        for (int from = QPS_RESET; from <= QPS_ERR; from++) {
            any(from, QPS_RESET);
            if (from != QPS_RESET) {
                any(from, QPS_ERR);
            }
        }

        step(QPS_RESET, QPS_INIT, QPT_RC, connected, 0);
        step(QPS_RESET, QPS_INIT, QPT_UC, connected, 0);
        step(QPS_RESET, QPS_INIT, QPT_UD, datagram, 0);

        step(QPS_INIT, QPS_INIT, QPT_RC, 0, connected);
        step(QPS_INIT, QPS_INIT, QPT_UC, 0, connected);
        step(QPS_INIT, QPS_INIT, QPT_UD, 0, datagram);

        int path = QP_AV | QP_PATH_MTU | QP_DEST_QPN | QP_RQ_PSN;
        int revised = QP_ALT_PATH | QP_ACCESS_FLAGS | QP_PKEY_INDEX;
        step(QPS_INIT, QPS_RTR, QPT_RC, path | QP_MAX_DEST_RD_ATOMIC | QP_MIN_RNR_TIMER, revised);
        step(QPS_INIT, QPS_RTR, QPT_UC, path, revised);
        step(QPS_INIT, QPS_RTR, QPT_UD, 0, QP_PKEY_INDEX | QP_QKEY);

        int running = QP_CUR_STATE | QP_ACCESS_FLAGS | migration;
        int retrying = QP_TIMEOUT | QP_RETRY_CNT | QP_RNR_RETRY | QP_MAX_QP_RD_ATOMIC;
        step(QPS_RTR, QPS_RTS, QPT_RC, QP_SQ_PSN | retrying, running | QP_MIN_RNR_TIMER);
        step(QPS_RTR, QPS_RTS, QPT_UC, QP_SQ_PSN, running);
        step(QPS_RTR, QPS_RTS, QPT_UD, QP_SQ_PSN, QP_CUR_STATE | QP_QKEY);

        for (int from : new int[] {QPS_RTS, QPS_SQD}) {
            step(from, QPS_RTS, QPT_RC, 0, running | QP_MIN_RNR_TIMER);
            step(from, QPS_RTS, QPT_UC, 0, running);
            step(from, QPS_RTS, QPT_UD, 0, QP_CUR_STATE | QP_QKEY);
        }

        step(QPS_RTS, QPS_SQD, QPT_RC, 0, QP_EN_SQD_ASYNC_NOTIFY);
        step(QPS_RTS, QPS_SQD, QPT_UC, 0, QP_EN_SQD_ASYNC_NOTIFY);
        step(QPS_RTS, QPS_SQD, QPT_UD, 0, QP_EN_SQD_ASYNC_NOTIFY);

        int drained = QP_AV | QP_ACCESS_FLAGS | QP_PKEY_INDEX | migration;
        step(
                QPS_SQD,
                QPS_SQD,
                QPT_RC,
                0,
                drained | QP_PORT | retrying | QP_MAX_DEST_RD_ATOMIC | QP_MIN_RNR_TIMER);
        step(QPS_SQD, QPS_SQD, QPT_UC, 0, drained);
        step(QPS_SQD, QPS_SQD, QPT_UD, 0, QP_PKEY_INDEX | QP_QKEY);

        any(QPS_SQE, QPS_RTS);
        step(QPS_SQE, QPS_RTS, QPT_UC, 0, QP_CUR_STATE | QP_ACCESS_FLAGS);
        step(QPS_SQE, QPS_RTS, QPT_UD, 0, QP_CUR_STATE | QP_QKEY);
    }

    private QpTransitions() {}

    /** {@code ib_modify_qp_is_ok} of the kernel. */
    static boolean allowed(int type, int from, int to, int mask) {
        if (to < QPS_RESET || to > QPS_ERR || !VALID[from * STATES + to]) {
            return false;
        }
        if ((mask & QP_CUR_STATE) != 0
                && from != QPS_RTR
                && from != QPS_RTS
                && from != QPS_SQD
                && from != QPS_SQE) {
            return false;
        }
        int at = (from * STATES + to) * TYPES + type;
        return (mask & REQUIRED[at]) == REQUIRED[at]
                && (mask & ~(REQUIRED[at] | OPTIONAL[at] | QP_STATE)) == 0;
    }

    private static void any(int from, int to) {
        VALID[from * STATES + to] = true;
    }

    private static void step(int from, int to, int type, int required, int optional) {
        any(from, to);
        REQUIRED[(from * STATES + to) * TYPES + type] = required;
        OPTIONAL[(from * STATES + to) * TYPES + type] = optional;
    }
}
