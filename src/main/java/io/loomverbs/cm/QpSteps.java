package io.loomverbs.cm;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.ClosedException;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

/**
 * Takes a queue pair of the program from state to state, with the attributes that the connection
 * manager has for each ({@code rdma_init_qp_attr}).
 */
final class QpSteps {
    private QpSteps() {}

    /**
     * Refuses a queue pair that cannot be connected here.
     *
     * @param device the device that the address belongs to
     * @param type the type that it must be of
     * @return its state
     */
    static QpState check(QueuePair qp, String device, QpType type) {
        checkKind(qp, device, type);
        QpState state = qp.state();
        if (state != QpState.RESET && state != QpState.INIT) {
            throw new IllegalStateException(
                    qp + " is in state " + state + ", but must be in RESET or INIT");
        }
        return state;
    }

    private static void checkKind(QueuePair qp, String device, QpType type) {
        Checks.notNull(qp, "qp");
        if (qp.type() != type) {
            throw new IllegalArgumentException(
                    "qp is " + qp + ", of type " + qp.type() + ", but must be of type " + type);
        }
        String own = qp.pd().context().device().name();
        if (!own.equals(device)) {
            throw new IllegalArgumentException(
                    "qp is "
                            + qp
                            + ", of "
                            + own
                            + ", but must be of "
                            + device
                            + ": that is the device that the address belongs to");
        }
    }

    /**
     * Refuses an id of a device of iWARP. There the driver connects the queue pair, and takes it
     * from state to state itself; the steps here are those of InfiniBand and RoCE.
     */
    static void refuseIwarp(CmIdOps id, String call, String name) {
        if (id.transportType() == Ibv.TRANSPORT_IWARP) {
            throw ConnectionException.refused(
                    call,
                    -Errno.EOPNOTSUPP,
                    name
                            + ": "
                            + id.deviceName()
                            + " is an iWARP device, on which loomverbs makes no connections: use"
                            + " one of InfiniBand or RoCE");
        }
    }

    /** Refuses a queue pair that cannot be announced to a client, or be attached to a group. */
    static void checkUd(QueuePair qp, String device) {
        checkKind(qp, device, QpType.UD);
    }

    /** From RESET or INIT to INIT. */
    static void init(CmIdOps id, QueuePair qp, Access... access) {
        QpAttr attr = new QpAttr();
        int mask = attributes(id, QpState.INIT, Ibv.QPS_INIT, attr);
        qp.modify(builder(attr, mask, QpState.INIT).access(access).build());
    }

    /** From RESET or INIT to RTS, for datagrams: with the connection manager's qkey. */
    static void activate(CmIdOps id, QueuePair qp, String device) {
        check(qp, device, QpType.UD);
        QpAttr attr = new QpAttr();
        int mask = attributes(id, QpState.INIT, Ibv.QPS_INIT, attr);
        qp.modify(builder(attr, mask, QpState.INIT).qkey(attr.qkey).build());
        qp.modify(QpAttributes.builder().state(QpState.RTR).build());
        qp.modify(QpAttributes.builder().state(QpState.RTS).sqPsn(0).build());
    }

    /** Before the attributes of RTS are asked for, and before the peer is. */
    static void setAckTimeout(CmIdOps id, ConnectionConfig config) {
        if (config.ackTimeout() >= 0) {
            int rc = id.setAckTimeout(config.ackTimeout());
            if (rc != 0) {
                throw ConnectionException.refused(
                        "rdma_set_option", rc, "ackTimeout " + config.ackTimeout());
            }
        }
    }

    /**
     * Takes the queue pair to INIT before a connection, with messages as the only operation that
     * the peer may use. A queue pair that is in INIT already keeps its access rights, but not the
     * port and the partition key that the program has chosen: those are the connection's, as
     * librdmacm sets them before every RTR.
     */
    static void initToConnect(CmIdOps id, QueuePair qp, QpState state) {
        if (state == QpState.RESET) {
            init(id, qp);
            return;
        }
        QpAttr attr = new QpAttr();
        int mask = attributes(id, QpState.INIT, Ibv.QPS_INIT, attr);
        qp.modify(builder(attr, mask, QpState.INIT).build());
    }

    /** From INIT to RTR and RTS. */
    static void connect(CmIdOps id, QueuePair qp, ConnectionConfig config) {
        QpAttr attr = new QpAttr();
        int mask = attributes(id, QpState.RTR, Ibv.QPS_RTR, attr);
        int served = qp.pd().context().attributes().maxQpReadAtomic();
        attr.maxDestRdAtomic = least(attr.maxDestRdAtomic, served, config.responderResources());
        // rdma_cm has 0 for every connection: 655 ms.
        attr.minRnrTimer = config.minRnrTimer();
        qp.modify(builder(attr, mask, QpState.RTR).build());

        attr = new QpAttr();
        mask = attributes(id, QpState.RTS, Ibv.QPS_RTS, attr);
        int asked = qp.pd().context().attributes().maxQpInitReadAtomic();
        attr.maxRdAtomic = least(attr.maxRdAtomic, asked, config.initiatorDepth());
        qp.modify(builder(attr, mask, QpState.RTS).build());
    }

    private static int least(int negotiated, int device, int wanted) {
        int most = Math.min(negotiated, device);
        return wanted == Cm.MAX_RESP_RES ? most : Math.min(most, wanted);
    }

    private static int attributes(CmIdOps id, QpState state, int number, QpAttr attr) {
        attr.qpState = number;
        int mask = id.initQpAttr(attr);
        if (mask < 0) {
            throw ConnectionException.refused(
                    "rdma_init_qp_attr", mask, "no attributes for state " + state);
        }
        return mask;
    }

    private static QpAttributes.Builder builder(QpAttr attr, int mask, QpState state) {
        QpAttributes.Builder to = QpAttributes.builder().state(state);
        if ((mask & Ibv.QP_PKEY_INDEX) != 0) {
            to.pkeyIndex(attr.pkeyIndex);
        }
        if ((mask & Ibv.QP_PORT) != 0) {
            to.portNum(attr.portNum);
        }
        if ((mask & Ibv.QP_AV) != 0) {
            to.address(address(attr.av));
        }
        if ((mask & Ibv.QP_PATH_MTU) != 0) {
            to.pathMtu(mtu(attr.pathMtu));
        }
        if ((mask & Ibv.QP_DEST_QPN) != 0) {
            to.destQpNum(attr.destQpNum);
        }
        if ((mask & Ibv.QP_RQ_PSN) != 0) {
            to.rqPsn(attr.rqPsn);
        }
        if ((mask & Ibv.QP_MAX_DEST_RD_ATOMIC) != 0) {
            to.maxDestRdAtomic(attr.maxDestRdAtomic);
        }
        if ((mask & Ibv.QP_MIN_RNR_TIMER) != 0) {
            to.minRnrTimer(attr.minRnrTimer);
        }
        if ((mask & Ibv.QP_SQ_PSN) != 0) {
            to.sqPsn(attr.sqPsn);
        }
        if ((mask & Ibv.QP_TIMEOUT) != 0) {
            to.timeout(attr.timeout);
        }
        if ((mask & Ibv.QP_RETRY_CNT) != 0) {
            to.retryCnt(attr.retryCnt);
        }
        if ((mask & Ibv.QP_RNR_RETRY) != 0) {
            to.rnrRetry(attr.rnrRetry);
        }
        if ((mask & Ibv.QP_MAX_QP_RD_ATOMIC) != 0) {
            to.maxRdAtomic(attr.maxRdAtomic);
        }
        return to;
    }

    static AhAttributes address(AhAttr av) {
        return new AhAttributes(
                av.portNum(),
                av.dlid(),
                av.sl(),
                av.global() ? new Gid(av.dgidHigh(), av.dgidLow()) : null,
                av.sgidIndex(),
                av.hopLimit(),
                av.trafficClass(),
                av.flowLabel(),
                av.srcPathBits(),
                av.staticRate());
    }

    private static Mtu mtu(int number) {
        for (Mtu mtu : Mtu.values()) {
            if (mtu.bytes() == 128 << number) {
                return mtu;
            }
        }
        return Mtu.MTU_256;
    }

    /** Flushes what was posted. A queue pair that is closed, or in RESET, has nothing to flush. */
    static boolean toErr(QueuePair qp) {
        try {
            qp.modify(QpAttributes.builder().state(QpState.ERR).build());
            return true;
        } catch (ClosedException e) {
            return true; // it is further
        } catch (VerbsException e) {
            return false;
        }
    }
}
