package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.ffi.IbvLayouts.IbvQpAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvQpInitAttr;
import io.loomverbs.internal.ffi.Struct;

/** The attributes of queue pairs, between Java and libibverbs. */
public final class QpAttrs {
    /** Every attribute that {@link QpAttr} has. */
    static final int ALL =
            Ibv.QP_STATE
                    | Ibv.QP_CUR_STATE
                    | Ibv.QP_EN_SQD_ASYNC_NOTIFY
                    | Ibv.QP_ACCESS_FLAGS
                    | Ibv.QP_PKEY_INDEX
                    | Ibv.QP_PORT
                    | Ibv.QP_QKEY
                    | Ibv.QP_AV
                    | Ibv.QP_PATH_MTU
                    | Ibv.QP_TIMEOUT
                    | Ibv.QP_RETRY_CNT
                    | Ibv.QP_RNR_RETRY
                    | Ibv.QP_RQ_PSN
                    | Ibv.QP_MAX_QP_RD_ATOMIC
                    | Ibv.QP_MIN_RNR_TIMER
                    | Ibv.QP_SQ_PSN
                    | Ibv.QP_MAX_DEST_RD_ATOMIC
                    | Ibv.QP_CAP
                    | Ibv.QP_DEST_QPN;

    /** The attributes that even a device with few of them reports, such as EFA. */
    static final int COMMON =
            Ibv.QP_STATE
                    | Ibv.QP_PKEY_INDEX
                    | Ibv.QP_PORT
                    | Ibv.QP_QKEY
                    | Ibv.QP_SQ_PSN
                    | Ibv.QP_CAP
                    | Ibv.QP_RNR_RETRY;

    private QpAttrs() {}

    static void write(QpAttr from, Struct to) {
        to.i32(IbvQpAttr.QP_STATE, from.qpState);
        to.i32(IbvQpAttr.CUR_QP_STATE, from.curQpState);
        to.i32(IbvQpAttr.PATH_MTU, from.pathMtu);
        to.i32(IbvQpAttr.QKEY, from.qkey);
        to.i32(IbvQpAttr.RQ_PSN, from.rqPsn);
        to.i32(IbvQpAttr.SQ_PSN, from.sqPsn);
        to.i32(IbvQpAttr.DEST_QP_NUM, from.destQpNum);
        to.i32(IbvQpAttr.QP_ACCESS_FLAGS, from.qpAccessFlags);
        IbvAh.write(from.av, to, IbvQpAttr.AH_ATTR);
        to.u16(IbvQpAttr.PKEY_INDEX, from.pkeyIndex);
        to.u8(IbvQpAttr.EN_SQD_ASYNC_NOTIFY, from.enSqdAsyncNotify);
        to.u8(IbvQpAttr.MAX_RD_ATOMIC, from.maxRdAtomic);
        to.u8(IbvQpAttr.MAX_DEST_RD_ATOMIC, from.maxDestRdAtomic);
        to.u8(IbvQpAttr.MIN_RNR_TIMER, from.minRnrTimer);
        to.u8(IbvQpAttr.PORT_NUM, from.portNum);
        to.u8(IbvQpAttr.TIMEOUT, from.timeout);
        to.u8(IbvQpAttr.RETRY_CNT, from.retryCnt);
        to.u8(IbvQpAttr.RNR_RETRY, from.rnrRetry);
    }

    public static void read(Struct from, QpAttr to) {
        to.qpState = from.i32(IbvQpAttr.QP_STATE);
        to.curQpState = from.i32(IbvQpAttr.CUR_QP_STATE);
        to.pathMtu = from.i32(IbvQpAttr.PATH_MTU);
        to.qkey = from.i32(IbvQpAttr.QKEY);
        to.rqPsn = from.i32(IbvQpAttr.RQ_PSN);
        to.sqPsn = from.i32(IbvQpAttr.SQ_PSN);
        to.destQpNum = from.i32(IbvQpAttr.DEST_QP_NUM);
        to.qpAccessFlags = from.i32(IbvQpAttr.QP_ACCESS_FLAGS);
        to.av = IbvAh.read(from, IbvQpAttr.AH_ATTR);
        to.pkeyIndex = from.u16(IbvQpAttr.PKEY_INDEX);
        to.enSqdAsyncNotify = from.u8(IbvQpAttr.EN_SQD_ASYNC_NOTIFY);
        to.sqDraining = from.u8(IbvQpAttr.SQ_DRAINING);
        to.maxRdAtomic = from.u8(IbvQpAttr.MAX_RD_ATOMIC);
        to.maxDestRdAtomic = from.u8(IbvQpAttr.MAX_DEST_RD_ATOMIC);
        to.minRnrTimer = from.u8(IbvQpAttr.MIN_RNR_TIMER);
        to.portNum = from.u8(IbvQpAttr.PORT_NUM);
        to.timeout = from.u8(IbvQpAttr.TIMEOUT);
        to.retryCnt = from.u8(IbvQpAttr.RETRY_CNT);
        to.rnrRetry = from.u8(IbvQpAttr.RNR_RETRY);
    }

    /** The {@code ibv_ah_attr} at that offset. */
    public static AhAttr readAh(Struct from, int at) {
        return IbvAh.read(from, at);
    }

    static void writeCap(QpCap from, Struct to) {
        to.i32(IbvQpInitAttr.CAP__MAX_SEND_WR, from.maxSendWr());
        to.i32(IbvQpInitAttr.CAP__MAX_RECV_WR, from.maxRecvWr());
        to.i32(IbvQpInitAttr.CAP__MAX_SEND_SGE, from.maxSendSge());
        to.i32(IbvQpInitAttr.CAP__MAX_RECV_SGE, from.maxRecvSge());
        to.i32(IbvQpInitAttr.CAP__MAX_INLINE_DATA, from.maxInlineData());
    }

    /** The capacities in the order of {@link QpCap}. */
    static int[] fields(QpCap cap) {
        return new int[] {
            cap.maxSendWr(),
            cap.maxRecvWr(),
            cap.maxSendSge(),
            cap.maxRecvSge(),
            cap.maxInlineData()
        };
    }

    /** The capacities that a device has granted; allocates nothing. */
    static void readCap(Struct from, int[] to) {
        to[0] = from.i32(IbvQpInitAttr.CAP__MAX_SEND_WR);
        to[1] = from.i32(IbvQpInitAttr.CAP__MAX_RECV_WR);
        to[2] = from.i32(IbvQpInitAttr.CAP__MAX_SEND_SGE);
        to[3] = from.i32(IbvQpInitAttr.CAP__MAX_RECV_SGE);
        to[4] = from.i32(IbvQpInitAttr.CAP__MAX_INLINE_DATA);
    }

    static QpCap cap(int[] fields) {
        return new QpCap(fields[0], fields[1], fields[2], fields[3], fields[4]);
    }
}
