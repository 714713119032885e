package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import java.util.Set;
import java.util.StringJoiner;

/**
 * Attributes of a queue pair: those to change ({@link QueuePair#modify}), or all of them ({@link
 * QueuePair#query}): {@code struct ibv_qp_attr} and its mask.
 *
 * <p>Immutable. An attribute that was not set reads as zero, or as the first value of its type.
 *
 * @since 0.1.0
 */
public final class QpAttributes {
    private final QpAttr attr;
    private final int mask;

    QpAttributes(QpAttr attr, int mask) {
        this.attr = attr;
        this.mask = mask;
    }

    /**
     * Starts with no attribute set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    QpAttr attr() {
        return attr;
    }

    int mask() {
        return mask;
    }

    /** The same, with a GID of the port where an address says {@link AhAttributes#FITTING_GID}. */
    QpAttributes fitting(Context context) {
        if ((mask & Ibv.QP_AV) == 0) {
            return this;
        }
        AhAttributes given = address();
        AhAttributes fitting = given.fitting(context);
        return fitting.equals(given) ? this : builder().override(this, ~0).address(fitting).build();
    }

    boolean setsState() {
        return (mask & Ibv.QP_STATE) != 0;
    }

    /**
     * Next state (on modify), or the state it is in (on query).
     *
     * @return the attribute
     */
    public QpState state() {
        return QpState.of(attr.qpState);
    }

    /**
     * Whether requests are still under way in state SQD ({@code sq_draining}; on query only).
     *
     * @return the attribute
     */
    public boolean isSqDraining() {
        return attr.sqDraining != 0;
    }

    /**
     * Whether {@link AsyncEventType#SQ_DRAINED} reports that the send queue has drained ({@code
     * en_sqd_async_notify}).
     *
     * @return the attribute
     */
    public boolean enSqdAsyncNotify() {
        return attr.enSqdAsyncNotify != 0;
    }

    /**
     * The state that the caller expects the queue pair to be in ({@code cur_qp_state}).
     *
     * @return the attribute
     */
    public QpState curState() {
        return QpState.of(attr.curQpState);
    }

    /**
     * The MTU of the path, the same at both ends (RC and UC; {@code path_mtu}).
     *
     * @return the attribute
     */
    public Mtu pathMtu() {
        return attr.pathMtu == 0 ? Mtu.MTU_256 : Mtu.of(attr.pathMtu);
    }

    /**
     * The key that a UD message must carry to be received.
     *
     * @return the attribute
     */
    public int qkey() {
        return attr.qkey;
    }

    /**
     * The first packet sequence number to receive.
     *
     * @return the attribute
     */
    public int rqPsn() {
        return attr.rqPsn;
    }

    /**
     * The first packet sequence number to send.
     *
     * @return the attribute
     */
    public int sqPsn() {
        return attr.sqPsn;
    }

    /**
     * The number of the peer's queue pair (RC and UC).
     *
     * @return the attribute
     */
    public int destQpNum() {
        return attr.destQpNum;
    }

    /**
     * Which partition key of the port to use.
     *
     * @return the attribute
     */
    public int pkeyIndex() {
        return attr.pkeyIndex;
    }

    /**
     * The local port, from 1 on.
     *
     * @return the attribute
     */
    public int portNum() {
        return attr.portNum;
    }

    /**
     * How many READs and atomics this side may have outstanding (RC; {@code max_rd_atomic}).
     *
     * @return the attribute
     */
    public int maxRdAtomic() {
        return attr.maxRdAtomic;
    }

    /**
     * How many READs and atomics of the peer are served at once (RC; {@code max_dest_rd_atomic}).
     *
     * @return the attribute
     */
    public int maxDestRdAtomic() {
        return attr.maxDestRdAtomic;
    }

    /**
     * How long a peer is asked to wait if there is no receive request for its message (RC; {@code
     * min_rnr_timer}), by a {@linkplain Builder#minRnrTimer code}.
     *
     * @return the attribute
     */
    public int minRnrTimer() {
        return attr.minRnrTimer;
    }

    /**
     * How long to wait for an answer, 4.096 us times 2 to the power of this: 14 is 67 ms, 0 is
     * unlimited (RC; {@code timeout}).
     *
     * @return the attribute
     */
    public int timeout() {
        return attr.timeout;
    }

    /**
     * How often to try again when there is no answer (RC).
     *
     * @return the attribute
     */
    public int retryCnt() {
        return attr.retryCnt;
    }

    /**
     * How often to try again when the peer has no receive request; 7 is unlimited (RC).
     *
     * @return the attribute
     */
    public int rnrRetry() {
        return attr.rnrRetry;
    }

    /**
     * What the peer may do over the queue pair ({@code qp_access_flags}).
     *
     * @return the attribute, as a new set
     */
    public Set<Access> access() {
        return Access.of(attr.qpAccessFlags);
    }

    /**
     * Where the peer is (RC and UC; {@code ah_attr}).
     *
     * @return the attribute
     */
    public AhAttributes address() {
        return AhAttributes.of(attr.av);
    }

    /** The names of the attributes that are set, as verbs has them. */
    @Override
    public String toString() {
        StringJoiner names = new StringJoiner("|");
        add(names, Ibv.QP_STATE, "IBV_QP_STATE");
        add(names, Ibv.QP_CUR_STATE, "IBV_QP_CUR_STATE");
        add(names, Ibv.QP_EN_SQD_ASYNC_NOTIFY, "IBV_QP_EN_SQD_ASYNC_NOTIFY");
        add(names, Ibv.QP_PATH_MTU, "IBV_QP_PATH_MTU");
        add(names, Ibv.QP_QKEY, "IBV_QP_QKEY");
        add(names, Ibv.QP_RQ_PSN, "IBV_QP_RQ_PSN");
        add(names, Ibv.QP_SQ_PSN, "IBV_QP_SQ_PSN");
        add(names, Ibv.QP_DEST_QPN, "IBV_QP_DEST_QPN");
        add(names, Ibv.QP_PKEY_INDEX, "IBV_QP_PKEY_INDEX");
        add(names, Ibv.QP_PORT, "IBV_QP_PORT");
        add(names, Ibv.QP_MAX_QP_RD_ATOMIC, "IBV_QP_MAX_QP_RD_ATOMIC");
        add(names, Ibv.QP_MAX_DEST_RD_ATOMIC, "IBV_QP_MAX_DEST_RD_ATOMIC");
        add(names, Ibv.QP_MIN_RNR_TIMER, "IBV_QP_MIN_RNR_TIMER");
        add(names, Ibv.QP_TIMEOUT, "IBV_QP_TIMEOUT");
        add(names, Ibv.QP_RETRY_CNT, "IBV_QP_RETRY_CNT");
        add(names, Ibv.QP_RNR_RETRY, "IBV_QP_RNR_RETRY");
        add(names, Ibv.QP_ACCESS_FLAGS, "IBV_QP_ACCESS_FLAGS");
        add(names, Ibv.QP_AV, "IBV_QP_AV");
        return names.length() == 0 ? "nothing" : names.toString();
    }

    private void add(StringJoiner names, int bit, String name) {
        if ((mask & bit) != 0) {
            names.add(name);
        }
    }

    /**
     * Sets attributes; those not set are left as they are. For one thread at a time.
     *
     * @since 0.1.0
     */
    public static final class Builder {
        private final QpAttr attr = new QpAttr();
        private int mask;

        private Builder() {}

        /**
         * Next state (on modify), or the state it is in (on query) ({@code IBV_QP_STATE}).
         *
         * @param state the attribute
         * @return this
         */
        public Builder state(QpState state) {
            attr.qpState = Arguments.notNull(state, "state").value();
            mask |= Ibv.QP_STATE;
            return this;
        }

        /**
         * The state that the caller expects the queue pair to be in ({@code IBV_QP_CUR_STATE}).
         *
         * @param curState the attribute
         * @return this
         */
        public Builder curState(QpState curState) {
            attr.curQpState = Arguments.notNull(curState, "curState").value();
            mask |= Ibv.QP_CUR_STATE;
            return this;
        }

        /**
         * Whether {@link AsyncEventType#SQ_DRAINED} reports that the send queue has drained ({@code
         * IBV_QP_EN_SQD_ASYNC_NOTIFY}); together with state {@link QpState#SQD}, from RTS.
         *
         * @param enSqdAsyncNotify the attribute
         * @return this
         */
        public Builder enSqdAsyncNotify(boolean enSqdAsyncNotify) {
            attr.enSqdAsyncNotify = enSqdAsyncNotify ? 1 : 0;
            mask |= Ibv.QP_EN_SQD_ASYNC_NOTIFY;
            return this;
        }

        /**
         * The MTU of the path, the same at both ends (RC and UC; {@code IBV_QP_PATH_MTU}).
         *
         * @param pathMtu the attribute
         * @return this
         * @throws IllegalArgumentException if it is {@link Mtu#UNKNOWN}
         */
        public Builder pathMtu(Mtu pathMtu) {
            if (Arguments.notNull(pathMtu, "pathMtu") == Mtu.UNKNOWN) {
                throw new IllegalArgumentException(
                        "pathMtu is UNKNOWN, but must be MTU_256 to MTU_4096");
            }
            attr.pathMtu = pathMtu.value();
            mask |= Ibv.QP_PATH_MTU;
            return this;
        }

        /**
         * The key that a UD message must carry to be received ({@code IBV_QP_QKEY}). One with the
         * highest bit set needs a privilege ({@code CAP_NET_RAW}).
         *
         * @param qkey the attribute
         * @return this
         */
        public Builder qkey(int qkey) {
            attr.qkey = qkey;
            mask |= Ibv.QP_QKEY;
            return this;
        }

        /**
         * The first packet sequence number to receive ({@code IBV_QP_RQ_PSN}).
         *
         * @param rqPsn the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 24 bits
         */
        public Builder rqPsn(int rqPsn) {
            attr.rqPsn = Arguments.inRange("rqPsn", rqPsn, 0, 0xffffff, "24 bits");
            mask |= Ibv.QP_RQ_PSN;
            return this;
        }

        /**
         * The first packet sequence number to send ({@code IBV_QP_SQ_PSN}).
         *
         * @param sqPsn the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 24 bits
         */
        public Builder sqPsn(int sqPsn) {
            attr.sqPsn = Arguments.inRange("sqPsn", sqPsn, 0, 0xffffff, "24 bits");
            mask |= Ibv.QP_SQ_PSN;
            return this;
        }

        /**
         * The number of the peer's queue pair (RC and UC) ({@code IBV_QP_DEST_QPN}).
         *
         * @param destQpNum the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 24 bits
         */
        public Builder destQpNum(int destQpNum) {
            attr.destQpNum = Arguments.inRange("destQpNum", destQpNum, 0, 0xffffff, "24 bits");
            mask |= Ibv.QP_DEST_QPN;
            return this;
        }

        /**
         * Which partition key of the port to use ({@code IBV_QP_PKEY_INDEX}).
         *
         * @param pkeyIndex the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 16 bits
         */
        public Builder pkeyIndex(int pkeyIndex) {
            attr.pkeyIndex = Arguments.inRange("pkeyIndex", pkeyIndex, 0, 0xffff, "16 bits");
            mask |= Ibv.QP_PKEY_INDEX;
            return this;
        }

        /**
         * The local port, from 1 on ({@code IBV_QP_PORT}).
         *
         * @param portNum the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: ports count from 1
         */
        public Builder portNum(int portNum) {
            attr.portNum = Arguments.inRange("portNum", portNum, 1, 255, "ports count from 1");
            mask |= Ibv.QP_PORT;
            return this;
        }

        /**
         * How many READs and atomics this side may have outstanding: no more than the peer's {@link
         * #maxDestRdAtomic} (RC; {@code IBV_QP_MAX_QP_RD_ATOMIC}).
         *
         * @param maxRdAtomic the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 8 bits
         */
        public Builder maxRdAtomic(int maxRdAtomic) {
            attr.maxRdAtomic = Arguments.inRange("maxRdAtomic", maxRdAtomic, 0, 255, "8 bits");
            mask |= Ibv.QP_MAX_QP_RD_ATOMIC;
            return this;
        }

        /**
         * How many READs and atomics of the peer are served at once (RC) ({@code
         * IBV_QP_MAX_DEST_RD_ATOMIC}).
         *
         * @param maxDestRdAtomic the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 8 bits
         */
        public Builder maxDestRdAtomic(int maxDestRdAtomic) {
            attr.maxDestRdAtomic =
                    Arguments.inRange("maxDestRdAtomic", maxDestRdAtomic, 0, 255, "8 bits");
            mask |= Ibv.QP_MAX_DEST_RD_ATOMIC;
            return this;
        }

        /**
         * How long a peer is asked to wait if there is no receive request for its message, before
         * it tries again (RC; {@code IBV_QP_MIN_RNR_TIMER}). A code, in milliseconds:
         *
         * <table>
         * <caption>Codes from 0, 8, 16 and 24 on</caption>
         * <tr><td>0<td>655.36<td>0.01<td>0.02<td>0.03<td>0.04<td>0.06<td>0.08<td>0.12
         * <tr><td>8<td>0.16<td>0.24<td>0.32<td>0.48<td>0.64<td>0.96<td>1.28<td>1.92
         * <tr><td>16<td>2.56<td>3.84<td>5.12<td>7.68<td>10.24<td>15.36<td>20.48<td>30.72
         * <tr><td>24<td>40.96<td>61.44<td>81.92<td>122.88<td>163.84<td>245.76<td>327.68<td>491.52
         * </table>
         *
         * @param minRnrTimer the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 5 bits
         */
        public Builder minRnrTimer(int minRnrTimer) {
            attr.minRnrTimer = Arguments.inRange("minRnrTimer", minRnrTimer, 0, 31, "5 bits");
            mask |= Ibv.QP_MIN_RNR_TIMER;
            return this;
        }

        /**
         * How long to wait for an answer before a retry (RC; {@code IBV_QP_TIMEOUT}): 4.096 us
         * times 2 to the power of this: 14 is 67 ms, 0 is unlimited. Devices may take up to four
         * times as long, and have their own minimum.
         *
         * @param timeout the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 5 bits
         */
        public Builder timeout(int timeout) {
            attr.timeout = Arguments.inRange("timeout", timeout, 0, 31, "5 bits");
            mask |= Ibv.QP_TIMEOUT;
            return this;
        }

        /**
         * How often to try again when there is no answer, before the request ends in {@link
         * WcStatus#RETRY_EXC_ERR} (RC; {@code IBV_QP_RETRY_CNT}).
         *
         * @param retryCnt the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 3 bits
         */
        public Builder retryCnt(int retryCnt) {
            attr.retryCnt = Arguments.inRange("retryCnt", retryCnt, 0, 7, "3 bits");
            mask |= Ibv.QP_RETRY_CNT;
            return this;
        }

        /**
         * How often to try again when the peer has no receive request, before the request ends in
         * {@link WcStatus#RNR_RETRY_EXC_ERR}; 7 is unlimited (RC; {@code IBV_QP_RNR_RETRY}).
         *
         * @param rnrRetry the attribute
         * @return this
         * @throws IllegalArgumentException if it does not fit: 3 bits
         */
        public Builder rnrRetry(int rnrRetry) {
            attr.rnrRetry = Arguments.inRange("rnrRetry", rnrRetry, 0, 7, "3 bits");
            mask |= Ibv.QP_RNR_RETRY;
            return this;
        }

        /**
         * What the peer may do over the queue pair (RC and UC; {@code IBV_QP_ACCESS_FLAGS}), if the
         * region allows it, too; {@link Access#LOCAL_WRITE} has no effect here.
         *
         * @param access the attribute; none to allow nothing
         * @return this
         * @throws IllegalArgumentException if it is one of memory regions only
         */
        public Builder access(Access... access) {
            attr.qpAccessFlags = Access.flagsOfQp(access);
            mask |= Ibv.QP_ACCESS_FLAGS;
            return this;
        }

        /**
         * Where the peer is ({@code IBV_QP_AV}; RC and UC).
         *
         * @param address the attribute
         * @return this
         */
        public Builder address(AhAttributes address) {
            attr.av = Arguments.notNull(address, "address").attr();
            mask |= Ibv.QP_AV;
            return this;
        }

        /**
         * Takes over the attributes that are set in {@code other} and are among those of {@code
         * which}.
         */
        Builder override(QpAttributes other, int which) {
            int taken = other.mask & which;
            attr.set(other.attr, taken);
            mask |= taken;
            return this;
        }

        /**
         * The attributes as set so far.
         *
         * @return the attributes; the builder must not be used afterwards
         */
        public QpAttributes build() {
            return new QpAttributes(attr, mask);
        }
    }
}
