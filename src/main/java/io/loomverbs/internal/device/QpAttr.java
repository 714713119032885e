package io.loomverbs.internal.device;

/**
 * {@code struct ibv_qp_attr}: a structure, not an abstraction. Filled in by one thread and read by
 * one; which fields count is said by a mask of {@link Ibv}'s {@code QP_} constants.
 */
public final class QpAttr {
    public int qpState;
    public int curQpState;
    public int pathMtu;
    public int qkey;
    public int rqPsn;
    public int sqPsn;
    public int destQpNum;
    public int qpAccessFlags;
    public AhAttr av = AhAttr.NONE;
    public int pkeyIndex;
    public int maxRdAtomic;
    public int maxDestRdAtomic;
    public int minRnrTimer;
    public int portNum;
    public int timeout;
    public int retryCnt;
    public int rnrRetry;
    public int enSqdAsyncNotify;

    /** Answered by a query only. */
    public int sqDraining;

    /** Takes over the attributes that a mask selects. */
    public void set(QpAttr from, int mask) {
        if ((mask & Ibv.QP_STATE) != 0) {
            qpState = from.qpState;
        }
        if ((mask & Ibv.QP_CUR_STATE) != 0) {
            curQpState = from.curQpState;
        }
        if ((mask & Ibv.QP_EN_SQD_ASYNC_NOTIFY) != 0) {
            enSqdAsyncNotify = from.enSqdAsyncNotify;
        }
        if ((mask & Ibv.QP_PATH_MTU) != 0) {
            pathMtu = from.pathMtu;
        }
        if ((mask & Ibv.QP_QKEY) != 0) {
            qkey = from.qkey;
        }
        if ((mask & Ibv.QP_RQ_PSN) != 0) {
            rqPsn = from.rqPsn;
        }
        if ((mask & Ibv.QP_SQ_PSN) != 0) {
            sqPsn = from.sqPsn;
        }
        if ((mask & Ibv.QP_DEST_QPN) != 0) {
            destQpNum = from.destQpNum;
        }
        if ((mask & Ibv.QP_PKEY_INDEX) != 0) {
            pkeyIndex = from.pkeyIndex;
        }
        if ((mask & Ibv.QP_PORT) != 0) {
            portNum = from.portNum;
        }
        if ((mask & Ibv.QP_MAX_QP_RD_ATOMIC) != 0) {
            maxRdAtomic = from.maxRdAtomic;
        }
        if ((mask & Ibv.QP_MAX_DEST_RD_ATOMIC) != 0) {
            maxDestRdAtomic = from.maxDestRdAtomic;
        }
        if ((mask & Ibv.QP_MIN_RNR_TIMER) != 0) {
            minRnrTimer = from.minRnrTimer;
        }
        if ((mask & Ibv.QP_TIMEOUT) != 0) {
            timeout = from.timeout;
        }
        if ((mask & Ibv.QP_RETRY_CNT) != 0) {
            retryCnt = from.retryCnt;
        }
        if ((mask & Ibv.QP_RNR_RETRY) != 0) {
            rnrRetry = from.rnrRetry;
        }
        if ((mask & Ibv.QP_ACCESS_FLAGS) != 0) {
            qpAccessFlags = from.qpAccessFlags;
        }
        if ((mask & Ibv.QP_AV) != 0) {
            av = from.av;
        }
    }
}
