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
}
