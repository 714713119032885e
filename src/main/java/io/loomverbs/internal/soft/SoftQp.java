package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** A queue pair. */
final class SoftQp implements QpOps, IdTable.Entry, Keys {
    /** Below every state of verbs, so that it refuses everything that RESET refuses. */
    private static final int DESTROYED = -1;

    static final int NO_EVENT = -1;

    private static final Logger LOG = System.getLogger("io.loomverbs.soft");

    private final int qpNum;
    private final QpCap cap;
    final int type;
    final int opcodes;
    final boolean sqSigAll;
    final SoftPd pd;
    final SoftDevice device;

    /** Its ordinal in its context. */
    final int ordinal;

    final SoftCq sendCq;
    final SoftCq recvCq;
    final @Nullable SoftSrq srq;
    final AsyncListener events;
    final SendQueue sq;
    final RecvQueue rq;

    /**
     * Written under the locks of both {@code sq} and {@code rq}; read under either. But {@code
     * sqPsn} advances under {@code sq} alone, and {@code rqPsn} under {@code rq} alone.
     */
    final QpAttr attr = new QpAttr();

    /** Bytes of a full packet. Written under the locks of both; read under either. */
    private int packetBytes = SoftPort.MTU_BYTES;

    /** Whether the address vector leads to the port. Written under both; read under either. */
    private boolean reachesThePort;

    /** Under the lock of {@code rq}. */
    final FetchHistory fetched = new FetchHistory();

    /** Whether the peer got a NAK because it is ahead. Under the lock of {@code rq}. */
    boolean sequenceNakSent;

    /** Written under the lock of {@code rq}; to be acted upon under that of {@code sq} or it. */
    private volatile int state = Ibv.QPS_RESET;

    /** The number of multicast groups that it is attached to. Under the lock of {@code rq}. */
    private int groups;

    /** Whether a request has come in since RTR. Under the lock of {@code rq}. */
    private boolean established;

    SoftQp(
            int qpNum,
            SoftPd pd,
            QpInit init,
            SoftCq sendCq,
            SoftCq recvCq,
            @Nullable SoftSrq srq,
            AsyncListener events) {
        this.qpNum = qpNum;
        this.pd = pd;
        this.device = pd.device;
        this.ordinal = pd.faults.nextQueuePair();
        this.type = init.qpType();
        this.opcodes = SendRules.opcodes(init.qpType());
        this.cap = init.cap();
        this.sqSigAll = init.sqSigAll();
        this.sendCq = sendCq;
        this.recvCq = recvCq;
        this.srq = srq;
        this.events = events;
        this.sq = new SendQueue(this, init.cap().maxSendWr());
        this.rq = new RecvQueue(this, init.cap().maxRecvWr());
    }

    @Override
    public int id() {
        return qpNum;
    }

    @Override
    public int qpNum() {
        return qpNum;
    }

    @Override
    public QpCap cap() {
        return cap;
    }

    int state() {
        return state;
    }

    @Override
    public long postSend(SendWr first) {
        return sq.post(first);
    }

    @Override
    public long postRecv(RecvWr first) {
        return rq.post(first);
    }

    /** As {@code ibv_bind_mw} does it: a request in the send queue, with the next key. */
    @Override
    public int bindMw(SendWr bind) {
        return (bind.bindAccess() & Ibv.ACCESS_ZERO_BASED) != 0
                ? -Errno.EINVAL
                : -PostResult.errno(sq.post(bind));
    }

    /** The memory that the peer may use. */
    @Override
    public @Nullable KeyedMemory find(int key) {
        KeyedMemory mr = pd.find(key);
        return mr != null ? mr : SoftMw.find(this, key);
    }

    @Override
    public int modify(QpAttr wanted, int mask) {
        if (pd.faults.isDeviceLost()) {
            return -Errno.EIO;
        }
        DeferredNotifications after = new DeferredNotifications();
        int errno;
        int now;
        int dest;
        try {
            sq.lock();
            try {
                rq.lock();
                try {
                    errno = change(wanted, mask, after);
                    now = state;
                    dest = attr.destQpNum;
                } finally {
                    rq.unlock();
                }
            } finally {
                sq.unlock();
            }
        } finally {
            after.run(); // after an Error, too, events may have been fired
        }
        if (errno != 0) {
            return -errno;
        }
        sq.signal();
        if (now == Ibv.QPS_RTR) {
            SoftQp peer = device.qps.find(dest);
            if (peer != null) {
                peer.sq.kick();
            }
        }
        return 0;
    }

    /** Under both locks. */
    private int change(QpAttr wanted, int mask, DeferredNotifications after) {
        int from = state;
        int to = (mask & Ibv.QP_STATE) != 0 ? wanted.qpState : from;
        if (from == DESTROYED
                || ((mask & Ibv.QP_CUR_STATE) != 0 && wanted.curQpState != from)
                || !QpTransitions.allowed(type, from, to, mask)
                || !SelectedAttrs.valid(wanted, mask)
                || (from == Ibv.QPS_SQD
                        && to != Ibv.QPS_ERR
                        && to != Ibv.QPS_RESET
                        && sq.draining())) {
            return Errno.EINVAL;
        }
        if (device.strict && (mask & Ibv.QP_QKEY) != 0 && wanted.qkey < 0) {
            return Errno.EPERM; // as for a program without CAP_NET_RAW
        }
        if (from == Ibv.QPS_SQE && to == Ibv.QPS_RTS) {
            sq.flush(after);
        }
        SelectedAttrs.copy(wanted, attr, mask);
        pathChanged(mask);
        if ((mask & Ibv.QP_MAX_DEST_RD_ATOMIC) != 0) {
            fetched.reset(attr.maxDestRdAtomic);
        }
        if (to == Ibv.QPS_ERR) {
            enterError(NO_EVENT, after);
            return 0;
        }
        state = to;
        if (to == Ibv.QPS_RESET) {
            forget();
            SelectedAttrs.clear(attr);
            established = false;
            sequenceNakSent = false;
        } else if (to == Ibv.QPS_SQD && from == Ibv.QPS_RTS) {
            boolean notify = (mask & Ibv.QP_EN_SQD_ASYNC_NOTIFY) != 0;
            sq.drain(notify && wanted.enSqdAsyncNotify != 0, after);
        }
        return 0;
    }

    /** Under both locks. */
    private void pathChanged(int mask) {
        if ((mask & Ibv.QP_PATH_MTU) != 0) {
            packetBytes = SoftPort.bytesOf(attr.pathMtu);
        }
        if ((mask & Ibv.QP_AV) != 0) {
            reachesThePort = device.port.isAddressedBy(attr.av);
        }
    }

    @Override
    public int query(QpAttr to) {
        sq.lock();
        try {
            rq.lock();
            try {
                if (state == DESTROYED) {
                    return -Errno.EINVAL;
                }
                if (pd.faults.isDeviceLost()) {
                    return -Errno.EIO;
                }
                SelectedAttrs.copy(attr, to, ~0);
                to.qpState = state;
                to.curQpState = state;
                to.sqDraining = state == Ibv.QPS_SQD && sq.draining() ? 1 : 0;
                return 0;
            } finally {
                rq.unlock();
            }
        } finally {
            sq.unlock();
        }
    }

    @Override
    public int attachMcast(long gidHigh, long gidLow, int lid) {
        if (pd.faults.isDeviceLost()) {
            return -Errno.EIO;
        }
        if (type != Ibv.QPT_UD || !MulticastGroups.isMulticast(gidHigh, gidLow)) {
            return -Errno.EINVAL;
        }
        rq.lock(); // against a destroyer
        try {
            if (state == DESTROYED) {
                return -Errno.EINVAL;
            }
            if (device.multicast.attach(gidHigh, gidLow, this)) {
                groups++;
            }
            return 0;
        } finally {
            rq.unlock();
        }
    }

    @Override
    public int detachMcast(long gidHigh, long gidLow, int lid) {
        rq.lock();
        try {
            if (state == DESTROYED || !device.multicast.detach(gidHigh, gidLow, this)) {
                return -Errno.EINVAL;
            }
            groups--;
            return 0;
        } finally {
            rq.unlock();
        }
    }

    @Override
    public boolean isDestroyed() {
        return state == DESTROYED;
    }

    @Override
    public int destroy() {
        sq.lock();
        try {
            rq.lock();
            try {
                if (state == DESTROYED) {
                    return -Errno.EINVAL;
                }
                if (groups > 0) {
                    return -Errno.EBUSY;
                }
                state = DESTROYED;
                forget();
            } finally {
                rq.unlock();
            }
        } finally {
            sq.unlock();
        }
        device.qps.remove(this);
        sendCq.removeUser();
        recvCq.removeUser();
        if (srq != null) {
            srq.users.remove();
        }
        pd.users.remove();
        return 0;
    }

    /** The device is gone, and with it all requests, of which none completes. Holds no lock. */
    void vanish() {
        sq.lock();
        try {
            rq.lock();
            try {
                if (state != DESTROYED) {
                    state = Ibv.QPS_ERR;
                    sq.discard();
                    rq.discard();
                }
            } finally {
                rq.unlock();
            }
        } finally {
            sq.unlock();
        }
    }

    /** Under both locks, in a state that refuses requests. */
    private void forget() {
        if (device.strict) {
            sendCq.forget(qpNum);
            recvCq.forget(qpNum);
        }
        sq.discard();
        rq.discard();
    }

    boolean completesOn(SoftCq cq) {
        return sendCq == cq || recvCq == cq;
    }

    boolean isPortDown() {
        return pd.faults.isPortDown();
    }

    /** Whether requests that come in are served. Under the lock of {@code rq}. */
    boolean receives() {
        int s = state;
        return s >= Ibv.QPS_RTR && s != Ibv.QPS_ERR && !isPortDown();
    }

    /** Whether requests of this connected peer are served. Under the lock of {@code rq}. */
    boolean hears(SoftQp peer) {
        return receives()
                && attr.destQpNum == peer.qpNum
                && type == peer.type
                && reachesThePort; // from where the peer's packets come
    }

    /** Whether packets to the peer arrive anywhere. Under either lock. */
    boolean reachesThePort() {
        return reachesThePort;
    }

    /** How many packets a request takes, or its response. Under either lock. */
    int packetsOf(SendSlot wr) {
        if (wr.isLocal()) {
            return 0;
        }
        int full = packetBytes;
        return wr.length <= full || wr.isAtomic() ? 1 : (int) ((wr.length + full - 1) / full);
    }

    /**
     * Whether the message comes in packets of a wrong size: all but its last must be full ones.
     * Under the lock of {@code rq} of one of the two, and of {@code sq} of the other.
     */
    boolean cannotTakePacketsOf(SoftQp sender, SendSlot wr) {
        return packetBytes != sender.packetBytes
                && wr.length > Math.min(packetBytes, sender.packetBytes);
    }

    /** The domain whose keys name its receive buffers. */
    SoftPd receivePd() {
        return srq == null ? pd : srq.pd;
    }

    boolean allows(int access) {
        return (attr.qpAccessFlags & access) != 0;
    }

    /** A request of the connected peer has come in. Under the lock of {@code rq}. */
    void communicationEstablished(DeferredNotifications after) {
        if (!established) {
            established = true;
            if (state == Ibv.QPS_RTR) {
                after.tell(events, Ibv.EVENT_COMM_EST);
            }
        }
    }

    /** A receive request ends with an error, and with it the queue pair. Under {@code rq}. */
    void receiveFailed(RecvSlot buffer, int status, DeferredNotifications after) {
        after.later(sq::signal);
        state = Ibv.QPS_ERR;
        rq.complete(buffer, status, after);
        rq.flush(after);
    }

    /**
     * Enters the error state, unless it is there already or in RESET. Under {@code rq}. If there is
     * no memory to report it, nothing has changed; if there is none to flush everything, another
     * call flushes the rest.
     */
    void enterError(int event, DeferredNotifications after) {
        if (state == Ibv.QPS_ERR) {
            rq.flushOwn(after);
            return;
        }
        if (state <= Ibv.QPS_RESET) {
            return;
        }
        if (event != NO_EVENT) {
            after.tell(events, event);
        }
        after.later(sq::signal);
        state = Ibv.QPS_ERR;
        rq.flush(after);
    }

    /** Enters the error state for a reason outside of it. Holds no lock. */
    void fail(int event) {
        DeferredNotifications after = new DeferredNotifications();
        try {
            rq.lock();
            try {
                enterError(event, after);
            } finally {
                rq.unlock();
            }
        } finally {
            after.run();
        }
    }

    /** A defect of this device, or lack of memory, must not leave a queue without a runner. */
    void crashed(Throwable cause, DeferredNotifications after) {
        rq.lock();
        try {
            enterError(Ibv.EVENT_QP_FATAL, after);
        } finally {
            rq.unlock();
        }
        try {
            LOG.log(Level.ERROR, "soft0 fails QP 0x" + Integer.toHexString(qpNum), cause);
        } catch (RuntimeException | Error e) {
            // A log that fails, or has no memory, changes nothing.
        }
    }

    /**
     * The state after a send request that ended with an error: ERR for a reliable connection, and
     * for the others SQE, where receiving goes on. Under both locks; true if it is ERR and was not.
     */
    boolean leaveRts() {
        if (state == Ibv.QPS_ERR) {
            return false;
        }
        state = type == Ibv.QPT_RC ? Ibv.QPS_ERR : Ibv.QPS_SQE;
        return type == Ibv.QPT_RC;
    }
}
