package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

/** Operations on the attributes that a mask selects. */
final class SelectedAttrs {
    private static final int MAX_QPN = 0xff_ffff;
    private static final int MAX_RETRIES = 7;

    private SelectedAttrs() {}

    /** Whether every selected attribute has a value that this device can take. */
    static boolean valid(QpAttr a, int mask) {
        return ((mask & Ibv.QP_ACCESS_FLAGS) == 0 || (a.qpAccessFlags & ~SoftPd.ANY_ACCESS) == 0)
                && in(mask, Ibv.QP_PKEY_INDEX, a.pkeyIndex, 0, 0)
                && in(mask, Ibv.QP_PORT, a.portNum, SoftPort.NUMBER, SoftPort.NUMBER)
                && in(mask, Ibv.QP_PATH_MTU, a.pathMtu, 1, SoftPort.MTU)
                && in(mask, Ibv.QP_TIMEOUT, a.timeout, 0, Timeouts.MAX_CODE)
                && in(mask, Ibv.QP_RETRY_CNT, a.retryCnt, 0, MAX_RETRIES)
                && in(mask, Ibv.QP_RNR_RETRY, a.rnrRetry, 0, MAX_RETRIES)
                && in(mask, Ibv.QP_MIN_RNR_TIMER, a.minRnrTimer, 0, Timeouts.MAX_CODE)
                && in(mask, Ibv.QP_MAX_QP_RD_ATOMIC, a.maxRdAtomic, 0, SoftDevice.MAX_RD_ATOMIC)
                && in(
                        mask,
                        Ibv.QP_MAX_DEST_RD_ATOMIC,
                        a.maxDestRdAtomic,
                        0,
                        SoftDevice.MAX_RD_ATOMIC)
                && in(mask, Ibv.QP_DEST_QPN, a.destQpNum, 0, MAX_QPN)
                && ((mask & Ibv.QP_AV) == 0 || SoftPort.accepts(a.av));
    }

    /** Copies the selected attributes. */
    static void copy(QpAttr from, QpAttr to, int mask) {
        to.set(from, mask);
        to.rqPsn &= Psn.MASK;
        to.sqPsn &= Psn.MASK;
    }

    /** Sets their values in RESET. */
    static void clear(QpAttr attr) {
        copy(new QpAttr(), attr, ~0);
    }

    private static boolean in(int mask, int bit, int value, int min, int max) {
        return (mask & bit) == 0 || (value >= min && value <= max);
    }
}
