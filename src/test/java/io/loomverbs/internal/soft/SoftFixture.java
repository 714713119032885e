package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.device.WcStruct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A device of its own, and short names for what every test of it does. */
final class SoftFixture {
    static final long PATIENCE_NANOS = 20_000_000_000L;
    static final QpCap CAP = new QpCap(16, 16, 4, 4, 64);
    static final int REMOTE_ALL =
            Ibv.ACCESS_LOCAL_WRITE
                    | Ibv.ACCESS_REMOTE_READ
                    | Ibv.ACCESS_REMOTE_WRITE
                    | Ibv.ACCESS_REMOTE_ATOMIC;

    static final int INIT_RC = Ibv.QP_STATE | Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_ACCESS_FLAGS;
    static final int INIT_UD = Ibv.QP_STATE | Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_QKEY;
    static final int RTR_UC =
            Ibv.QP_STATE | Ibv.QP_AV | Ibv.QP_PATH_MTU | Ibv.QP_DEST_QPN | Ibv.QP_RQ_PSN;
    static final int RTR_RC = RTR_UC | Ibv.QP_MAX_DEST_RD_ATOMIC | Ibv.QP_MIN_RNR_TIMER;
    static final int RTS_UC = Ibv.QP_STATE | Ibv.QP_SQ_PSN;
    static final int RTS_RC =
            RTS_UC | Ibv.QP_TIMEOUT | Ibv.QP_RETRY_CNT | Ibv.QP_RNR_RETRY | Ibv.QP_MAX_QP_RD_ATOMIC;
    static final int QKEY = 0x1111_1111;

    final SoftDevice device;
    final ContextOps context;
    final PdOps pd;

    SoftFixture() {
        this(SoftLimits.GENEROUS);
    }

    SoftFixture(SoftLimits limits) {
        this(new SoftDevice(limits));
    }

    SoftFixture(SoftDevice device) {
        this.device = device;
        context = device.open((type, port) -> {});
        pd = context.allocPd();
    }

    /** A listener of completion events only. */
    static CqListener told(Runnable completionEvent) {
        return new CqListener() {
            @Override
            public void completionEvent() {
                completionEvent.run();
            }

            @Override
            public void asyncEvent(int type) {}
        };
    }

    /** A CQ that counts what its listener is told. */
    static final class Cq implements CqListener {
        final AtomicInteger events = new AtomicInteger();
        final List<Integer> async = new CopyOnWriteArrayList<>();

        /** What else is done about a completion event. */
        Runnable told = () -> {};

        @SuppressWarnings("NullAway.Init")
        CqOps ops;

        @Override
        public void completionEvent() {
            events.incrementAndGet();
            told.run();
        }

        @Override
        public void asyncEvent(int type) {
            async.add(type);
        }

        /** Everything that is in the queue now. */
        List<Wc> poll() {
            List<Wc> all = new ArrayList<>();
            MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 4L, 8);
            for (int n = ops.poll(wcs, 0, 4); n > 0; n = ops.poll(wcs, 0, 4)) {
                for (int i = 0; i < n; i++) {
                    all.add(Wc.at(wcs, i * (long) WcStruct.BYTES));
                }
            }
            return all;
        }

        /** The one completion that comes within the patience of the tests. */
        Wc one() {
            List<Wc> all = many(1);
            assertThat(all).hasSize(1);
            return all.getFirst();
        }

        /** At least {@code n} completions. */
        List<Wc> many(int n) {
            List<Wc> all = new ArrayList<>(poll());
            eventually(
                    () -> {
                        all.addAll(poll());
                        return all.size() >= n;
                    });
            return all;
        }
    }

    /** A work completion, as read out of the structure. */
    record Wc(
            long wrId,
            int status,
            int opcode,
            int byteLen,
            int imm,
            int qpNum,
            int srcQp,
            int flags,
            int slid) {
        static Wc at(MemorySegment wcs, long at) {
            return new Wc(
                    WcStruct.wrId(wcs, at),
                    WcStruct.status(wcs, at),
                    WcStruct.opcode(wcs, at),
                    WcStruct.byteLen(wcs, at),
                    WcStruct.immData(wcs, at),
                    WcStruct.qpNum(wcs, at),
                    WcStruct.srcQp(wcs, at),
                    WcStruct.wcFlags(wcs, at),
                    WcStruct.slid(wcs, at));
        }
    }

    /** A queue pair with two CQs of its own and some registered memory. */
    final class Peer {
        final int type;
        final Cq send;
        final Cq recv;
        final List<Integer> async = new CopyOnWriteArrayList<>();
        final MemorySegment memory = Arena.ofAuto().allocate(16384, 64);
        final MrOps mr = pd.regMr(memory, REMOTE_ALL);
        final QpOps qp;
        final QpAttr attr = defaults();

        Peer(int type, QpCap cap, boolean sigAll) {
            this(type, cap, sigAll, cq(64), cq(64), null);
        }

        Peer(int type, QpCap cap, boolean sigAll, Cq send, Cq recv) {
            this(type, cap, sigAll, send, recv, null);
        }

        Peer(int type, QpCap cap, boolean sigAll, Cq send, Cq recv, SrqOps srq) {
            this.type = type;
            this.send = send;
            this.recv = recv;
            this.qp =
                    pd.createQp(new QpInit(type, cap, sigAll), send.ops, recv.ops, srq, async::add);
        }

        int state() {
            QpAttr a = new QpAttr();
            assertThat(qp.query(a)).isZero();
            return a.qpState;
        }

        int modify(int state, int mask) {
            attr.qpState = state;
            return qp.modify(attr, mask);
        }

        Peer init() {
            assertThat(modify(Ibv.QPS_INIT, type == Ibv.QPT_UD ? INIT_UD : INIT_RC)).isZero();
            return this;
        }

        Peer rtr(int dest) {
            attr.destQpNum = dest;
            int mask =
                    switch (type) {
                        case Ibv.QPT_RC -> RTR_RC;
                        case Ibv.QPT_UC -> RTR_UC;
                        default -> Ibv.QP_STATE;
                    };
            assertThat(modify(Ibv.QPS_RTR, mask)).isZero();
            return this;
        }

        Peer rts() {
            assertThat(modify(Ibv.QPS_RTS, type == Ibv.QPT_RC ? RTS_RC : RTS_UC)).isZero();
            return this;
        }

        Peer error() {
            assertThat(modify(Ibv.QPS_ERR, Ibv.QP_STATE)).isZero();
            return this;
        }

        /** A signalled request over the first {@code length} bytes. */
        SendWr wr(long wrId, int opcode, int length) {
            SendWr wr = new SendWr(4, 64);
            wr.wrId(wrId);
            wr.opcode(opcode);
            wr.sendFlags(Ibv.SEND_SIGNALED);
            wr.sge(0, memory.address(), length, mr.lkey());
            wr.numSge(1);
            return wr;
        }

        SendWr rdma(long wrId, int opcode, int length, Peer to) {
            SendWr wr = wr(wrId, opcode, length);
            wr.rdma(to.memory.address(), to.mr.rkey());
            return wr;
        }

        SendWr atomic(long wrId, int opcode, Peer to, long compareAdd, long swap) {
            SendWr wr = wr(wrId, opcode, 8);
            wr.atomic(to.memory.address(), to.mr.rkey(), compareAdd, swap);
            return wr;
        }

        void send(SendWr wr) {
            assertThat(qp.postSend(wr)).isEqualTo(PostResult.OK);
        }

        RecvWr buffer(long wrId, long offset, int length) {
            RecvWr wr = new RecvWr(4);
            wr.wrId(wrId);
            wr.sge(0, memory.address() + offset, length, mr.lkey());
            wr.numSge(1);
            return wr;
        }

        void recv(long wrId, long offset, int length) {
            assertThat(qp.postRecv(buffer(wrId, offset, length))).isEqualTo(PostResult.OK);
        }
    }

    static QpAttr defaults() {
        QpAttr a = new QpAttr();
        a.portNum = 1;
        a.pathMtu = 5;
        a.qkey = QKEY;
        a.qpAccessFlags = REMOTE_ALL;
        a.av = new AhAttr(0, 0, false, 0, 0, 0, 0, SoftPort.LID, 0, 1);
        a.maxRdAtomic = 1;
        a.maxDestRdAtomic = 1;
        a.minRnrTimer = 1;
        a.timeout = 8;
        a.retryCnt = 2;
        a.rnrRetry = 7;
        return a;
    }

    Cq cq(int cqe) {
        Cq cq = new Cq();
        cq.ops = context.createCq(cqe, null, 0, cq);
        return cq;
    }

    Peer peer(int type) {
        return new Peer(type, CAP, false);
    }

    /** One that takes its receives from a shared queue. */
    Peer peer(int type, SrqOps srq) {
        return new Peer(type, CAP, false, cq(64), cq(64), srq);
    }

    /** Two connected queue pairs in RTS. */
    Peer[] pair(int type) {
        Peer a = peer(type).init();
        Peer b = peer(type).init();
        connect(a, b);
        return new Peer[] {a, b};
    }

    static void connect(Peer a, Peer b) {
        a.rtr(b.qp.qpNum()).rts();
        b.rtr(a.qp.qpNum()).rts();
    }

    /** Waits, for as long as the tests have patience, until something holds. */
    static void eventually(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE_NANOS) {
                throw new AssertionError("not within the patience of the tests");
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
