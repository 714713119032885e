package io.loomverbs.internal.ibverbs;

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
import io.loomverbs.internal.event.CallGate;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.IbvLayouts.IbvQpInitAttr;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongUnaryOperator;

/** A queue pair of libibverbs. */
final class IbvQp extends NativeObject<CallGate> implements QpOps {
    /** Receives its asynchronous events. */
    final AsyncListener events;

    /**
     * Orders changes and queries: libibverbs records the state that either returns, and an old
     * state must not be recorded last.
     */
    private final ReentrantLock stateLock = new ReentrantLock();

    private final long postSend;
    private final long postRecv;
    private final boolean datagrams;

    /** The requested capacities, then the granted ones. */
    private final int[] cap;

    /** The capacities that libibverbs fills in while it creates the queue pair. */
    private @Nullable Struct attr;

    private int qpNum;

    private IbvQp(IbvContext context, QpInit init, AsyncListener events) {
        super(context, new CallGate(), Libibverbs::destroyQp);
        this.events = events;
        this.postSend = context.postSend;
        this.postRecv = context.postRecv;
        this.datagrams = init.qpType() == Ibv.QPT_UD;
        this.cap = QpAttrs.fields(init.cap());
    }

    /** {@code ibv_create_qp}. */
    static IbvQp create(
            IbvContext context,
            long pd,
            QpInit init,
            IbvCq send,
            IbvCq recv,
            @Nullable IbvSrq srq,
            AsyncListener events) {
        try (Arena arena = Arena.ofConfined()) {
            Struct attr = Struct.allocate(arena, IbvQpInitAttr.BYTES);
            attr.i64(IbvQpInitAttr.SEND_CQ, send.address());
            attr.i64(IbvQpInitAttr.RECV_CQ, recv.address());
            attr.i64(IbvQpInitAttr.SRQ, srq == null ? 0 : srq.address());
            attr.i32(IbvQpInitAttr.QP_TYPE, init.qpType());
            attr.i32(IbvQpInitAttr.SQ_SIG_ALL, init.sqSigAll() ? 1 : 0);
            QpAttrs.writeCap(asked(init.cap()), attr);
            MemorySegment call = Libibverbs.callState(arena);
            IbvQp qp = new IbvQp(context, init, events);
            qp.attr = attr;
            return create(
                    qp,
                    init,
                    call,
                    id -> {
                        attr.i64(IbvQpInitAttr.QP_CONTEXT, id);
                        return Libibverbs.createQp(call, pd, attr.address());
                    });
        }
    }

    /** Some drivers (mlx5) count inline data as an entry. */
    static QpCap asked(QpCap cap) {
        return cap.maxSendSge() > 0 || cap.maxInlineData() == 0
                ? cap
                : new QpCap(
                        cap.maxSendWr(), cap.maxRecvWr(), 1, cap.maxRecvSge(), cap.maxInlineData());
    }

    /**
     * @param creation makes the {@code ibv_qp} whose {@code qp_context} is the number it is given;
     *     a negative errno if it cannot
     */
    static IbvQp create(
            IbvContext context,
            QpInit init,
            AsyncListener events,
            MemorySegment call,
            LongUnaryOperator creation) {
        return create(new IbvQp(context, init, events), init, call, creation);
    }

    private static IbvQp create(
            IbvQp qp, QpInit init, MemorySegment call, LongUnaryOperator creation) {
        qp.create("ibv_create_qp", call, creation, init.toString());
        qp.attr = null;
        return qp;
    }

    @Override
    void created() {
        if (attr != null) {
            QpAttrs.readCap(attr, cap);
        }
        qpNum = Struct.i32At(nativeAddress() + IbvLayouts.IbvQp.QP_NUM);
    }

    @Override
    public int qpNum() {
        return qpNum;
    }

    @Override
    public QpCap cap() {
        return QpAttrs.cap(cap);
    }

    @Override
    public int modify(QpAttr attr, int mask) {
        stateLock.lock();
        try {
            return modifyAlone(attr, mask);
        } finally {
            stateLock.unlock();
        }
    }

    private int modifyAlone(QpAttr attr, int mask) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try {
            // On RoCE, the kernel resolves the neighbor over the network, for up to a second.
            return (mask & Ibv.QP_AV) == 0
                    ? change(attr, mask)
                    : OffCarrierCalls.run("ibv_modify_qp", () -> change(attr, mask));
        } finally {
            guard.leave();
        }
    }

    private int change(QpAttr attr, int mask) {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvLayouts.IbvQpAttr.BYTES);
            QpAttrs.write(attr, struct);
            return Libibverbs.modifyQp(
                    Libibverbs.callState(arena), nativeAddress(), struct.address(), mask);
        }
    }

    @Override
    public int query(QpAttr attr) {
        stateLock.lock();
        try {
            return queryAlone(attr);
        } finally {
            stateLock.unlock();
        }
    }

    private int queryAlone(QpAttr attr) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, IbvLayouts.IbvQpAttr.BYTES);
            Struct init = Struct.allocate(arena, IbvQpInitAttr.BYTES);
            MemorySegment call = Libibverbs.callState(arena);
            int rc = query(call, struct, QpAttrs.ALL, init);
            if (rc == -Errno.EOPNOTSUPP) { // it refuses all because of one that it lacks
                rc = query(call, struct, QpAttrs.COMMON, init);
            }
            if (rc == 0) {
                QpAttrs.read(struct, attr);
            }
            return rc;
        } finally {
            guard.leave();
        }
    }

    private int query(MemorySegment call, Struct to, int mask, Struct init) {
        return Libibverbs.queryQp(call, nativeAddress(), to.address(), mask, init.address());
    }

    /**
     * Whether a request may be given to the driver. Some drivers (rxe) put it into their ring
     * before the kernel refuses it, and execute it once the state allows it; some refuse a chain
     * without saying that they have accepted none of it. libibverbs keeps the state that {@code
     * ibv_modify_qp} has set: a change that the device makes itself, such as to the error state,
     * refuses no request.
     *
     * @param least the first state that allows it
     */
    private boolean allows(int least) {
        return context.stateIsHidden
                || Struct.i32At(nativeAddress() + IbvLayouts.IbvQp.STATE) >= least;
    }

    @Override
    public long postSend(SendWr first) {
        if (datagrams) {
            return postHolding(first);
        }
        return send(first);
    }

    /** Cuts the chain before the first request that a driver would take wrongly. */
    private long send(SendWr first) {
        SendWr lastGood = null;
        for (SendWr wr = first; wr != null; wr = wr.next()) {
            if (wr.opcode() == Ibv.WR_BIND_MW) {
                return postHolding(first);
            }
            if (SendChain.readsInline(wr)) {
                return sendUpTo(first, lastGood, wr);
            }
            lastGood = wr;
        }
        return sendAll(first);
    }

    /** Posts the chain up to {@code lastGood}, if it is given; {@code bad} comes after it. */
    private long sendUpTo(SendWr first, @Nullable SendWr lastGood, SendWr bad) {
        if (lastGood == null) {
            return PostResult.failed(Errno.EINVAL, 0);
        }
        long result;
        lastGood.next(null);
        try {
            result = sendAll(first);
        } finally { // the chain belongs to the program
            lastGood.next(bad);
        }
        return result != PostResult.OK
                ? result
                : PostResult.failed(Errno.EINVAL, SendChain.lengthUpTo(first, bad));
    }

    private long sendAll(SendWr first) {
        if (!guard.enter()) {
            return PostResult.failed(Errno.EINVAL, 0);
        }
        try {
            return allows(Ibv.QPS_RTS)
                    ? SendChain.post(postSend, nativeAddress(), first)
                    : PostResult.failed(Errno.EINVAL, 0);
        } finally {
            guard.leave();
        }
    }

    /**
     * Drivers follow the pointer to the address handle of a datagram, whatever the opcode, and
     * those to the window and the region of a bind: this ensures that there are such objects, and
     * that they stay until the post has returned. The chain is cut before the first request
     * without.
     */
    private long postHolding(SendWr first) {
        SendWr lastGood = null;
        SendWr bad = first;
        try { // in any case, only the objects that requests before `bad` name are held
            while (bad != null) {
                SendWr next = bad.next();
                if (hold(bad)) {
                    lastGood = bad;
                    bad = next;
                } else if (mayBeHeld(bad)) {
                    // Its destroyer waits for this thread if it is in the chain before.
                    SendWr held = bad;
                    lastGood = null;
                    bad = first;
                    release(first, held);
                    awaitOutcome(held);
                } else {
                    break;
                }
            }
            long result = bad == null ? sendAll(first) : sendUpTo(first, lastGood, bad);
            if (!datagrams) {
                takeKeys(first, bad, result);
            }
            return result;
        } finally {
            release(first, bad);
        }
    }

    /** The windows that were bound have their new keys, as far as the device says it took them. */
    private static void takeKeys(SendWr first, @Nullable SendWr end, long result) {
        int left = result == PostResult.OK ? Integer.MAX_VALUE : PostResult.accepted(result);
        for (SendWr wr = first; wr != end && wr != null && left > 0; wr = wr.next()) {
            if (wr.mw() instanceof IbvMw mw && wr.opcode() == Ibv.WR_BIND_MW) {
                mw.posted(wr.bindRkey());
            }
            left--;
        }
    }

    private static boolean isDatagram(SendWr wr) {
        return wr.opcode() == Ibv.WR_SEND || wr.opcode() == Ibv.WR_SEND_WITH_IMM;
    }

    private boolean hold(SendWr wr) {
        if (datagrams) {
            return isDatagram(wr) && wr.ah() instanceof IbvAh ah && ah.guard.tryEnter();
        }
        if (wr.opcode() != Ibv.WR_BIND_MW) {
            return !SendChain.readsInline(wr);
        }
        if (!(wr.mw() instanceof IbvMw mw)
                || !(wr.mr() instanceof IbvMr mr)
                || !mw.guard.tryEnter()) {
            return false;
        }
        boolean both = false;
        try {
            both = mr.guard.tryEnter();
        } finally {
            if (!both) {
                mw.guard.leave();
            }
        }
        return both;
    }

    /** Whether it names an object to hold, which a thread has at most begun to destroy. */
    private boolean mayBeHeld(SendWr wr) {
        if (datagrams) {
            return isDatagram(wr) && wr.ah() instanceof IbvAh ah && !ah.guard.isDestroyed();
        }
        return wr.opcode() == Ibv.WR_BIND_MW
                && wr.mw() instanceof IbvMw mw
                && wr.mr() instanceof IbvMr mr
                && !mw.guard.isDestroyed()
                && !mr.guard.isDestroyed();
    }

    private void awaitOutcome(SendWr wr) {
        if (datagrams) {
            if (wr.ah() instanceof IbvAh ah) {
                ah.guard.awaitOutcome();
            }
        } else if (wr.mw() instanceof IbvMw mw && wr.mr() instanceof IbvMr mr) {
            mw.guard.awaitOutcome();
            mr.guard.awaitOutcome();
        }
    }

    private void release(SendWr first, @Nullable SendWr end) {
        for (SendWr wr = first; wr != end && wr != null; wr = wr.next()) {
            if (datagrams) {
                if (wr.ah() instanceof IbvAh ah) {
                    ah.guard.leave();
                }
            } else if (wr.opcode() == Ibv.WR_BIND_MW
                    && wr.mw() instanceof IbvMw mw
                    && wr.mr() instanceof IbvMr mr) {
                mr.guard.leave();
                mw.guard.leave();
            }
        }
    }

    @Override
    public int bindMw(SendWr bind) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        boolean held = false;
        try {
            held = hold(bind);
            return held
                            && allows(Ibv.QPS_RTS)
                            && bind.mw() instanceof IbvMw mw
                            && bind.mr() instanceof IbvMr mr
                    ? mw.bind(nativeAddress(), bind, mr)
                    : -Errno.EINVAL;
        } finally {
            if (held) {
                release(bind, null);
            }
            guard.leave();
        }
    }

    @Override
    public long postRecv(RecvWr first) {
        if (!guard.enter()) {
            return PostResult.failed(Errno.EINVAL, 0);
        }
        try {
            return allows(Ibv.QPS_INIT)
                    ? RecvChain.post(postRecv, nativeAddress(), first)
                    : PostResult.failed(Errno.EINVAL, 0);
        } finally {
            guard.leave();
        }
    }

    @Override
    public int attachMcast(long gidHigh, long gidLow, int lid) {
        return multicast(gidHigh, gidLow, (call, gid) -> attach(call, gid, lid));
    }

    private int attach(MemorySegment call, long gid, int lid) {
        return Libibverbs.attachMcast(call, nativeAddress(), gid, lid);
    }

    @Override
    public int detachMcast(long gidHigh, long gidLow, int lid) {
        return multicast(gidHigh, gidLow, (call, gid) -> detach(call, gid, lid));
    }

    private int detach(MemorySegment call, long gid, int lid) {
        return Libibverbs.detachMcast(call, nativeAddress(), gid, lid);
    }

    private interface OnGid {
        int change(MemorySegment call, long gid);
    }

    private int multicast(long gidHigh, long gidLow, OnGid change) {
        if (!guard.enter()) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            Struct gid = Struct.allocate(arena, 2 * Long.BYTES);
            gid.be64(0, gidHigh);
            gid.be64(Long.BYTES, gidLow);
            return change.change(Libibverbs.callState(arena), gid.address());
        } finally {
            guard.leave();
        }
    }

    @Override
    public int destroy() {
        return destroyNative();
    }

    @Override
    public boolean isDestroyed() {
        return guard.isDestroyed();
    }
}
