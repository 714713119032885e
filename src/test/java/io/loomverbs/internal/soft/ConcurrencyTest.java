package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.soft.SoftFixture.Cq;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/** Many threads on the same queues. */
@Timeout(60)
class ConcurrencyTest {
    private static final QpCap DEEP = new QpCap(64, 64, 1, 1, 8);
    private static final int THREADS = 4;
    private static final int EACH = 10_000;

    private final SoftFixture fixture = new SoftFixture();

    /** Posts, again and again while the queue is full. */
    private static void post(Crew crew, Peer from, SendWr wr) {
        long result = from.qp.postSend(wr);
        while (PostResult.errno(result) == Errno.ENOMEM && !crew.failed()) {
            Thread.onSpinWait();
            result = from.qp.postSend(wr);
        }
        assertThat(result).isEqualTo(PostResult.OK);
    }

    private static SendWr tiny(Peer from) {
        SendWr wr = from.wr(0, Ibv.WR_SEND, 8);
        wr.sendFlags(0);
        return wr;
    }

    @Test
    void requestsOfOneThreadStayInOrderAmongThoseOfOthers() {
        Peer a = fixture.new Peer(Ibv.QPT_RC, DEEP, false).init();
        Peer b = fixture.new Peer(Ibv.QPT_RC, DEEP, false).init();
        b.attr.minRnrTimer = 0;
        SoftFixture.connect(a, b);
        for (int i = 0; i < DEEP.maxRecvWr() / 2; i++) {
            b.recv(i, 8L * i, 8);
        }
        try (Crew crew = new Crew()) {
            for (int t = 0; t < THREADS; t++) {
                long tag = (long) t << 32;
                crew.add(
                        () -> {
                            MemorySegment payload = Arena.ofAuto().allocate(8, 8);
                            SendWr wr = tiny(a);
                            for (int i = 0; i < EACH; i++) {
                                payload.set(JAVA_LONG, 0, tag | i);
                                wr.sendFlags(0);
                                wr.inline(payload, 0, 8);
                                post(crew, a, wr);
                            }
                        });
            }
            crew.add(() -> receiveInOrder(crew, b));
        }
        assertThat(a.send.poll()).isEmpty();
    }

    private static void receiveInOrder(Crew crew, Peer b) {
        MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 8L, 8);
        RecvWr again = b.buffer(0, 0, 8);
        int[] next = new int[THREADS];
        int left = THREADS * EACH;
        while (left > 0 && !crew.failed()) {
            int n = b.recv.ops.poll(wcs, 0, 8);
            assertThat(n).isNotNegative();
            for (int i = 0; i < n; i++) {
                Wc wc = Wc.at(wcs, (long) i * WcStruct.BYTES);
                long payload = b.memory.get(JAVA_LONG, 8 * wc.wrId());
                int from = (int) (payload >>> 32);
                assertThat((int) payload).isEqualTo(next[from]++);
                again.wrId(wc.wrId());
                again.sge(0, b.memory.address() + 8 * wc.wrId(), 8, b.mr.lkey());
                assertThat(b.qp.postRecv(again)).isEqualTo(PostResult.OK);
            }
            left -= n;
        }
    }

    @Test
    void oneQueueTakesTheCompletionsOfManyAndLosesNone() {
        Cq cq = fixture.cq(100_000);
        AtomicIntegerArray seen = new AtomicIntegerArray(2 * THREADS * EACH);
        AtomicLong left = new AtomicLong(2L * THREADS * EACH);
        try (Crew crew = new Crew()) {
            for (int t = 0; t < THREADS; t++) {
                Peer a = fixture.new Peer(Ibv.QPT_RC, DEEP, true, cq, cq).init();
                Peer b = fixture.new Peer(Ibv.QPT_RC, DEEP, true, cq, cq).init();
                SoftFixture.connect(a, b);
                int base = 2 * t * EACH;
                crew.add(
                        () -> {
                            SendWr wr = tiny(a);
                            RecvWr buffer = b.buffer(0, 0, 8);
                            for (int i = 0; i < EACH; i++) {
                                buffer.wrId(base + 2L * i);
                                assertThat(b.qp.postRecv(buffer)).isEqualTo(PostResult.OK);
                                wr.wrId(base + 2L * i + 1);
                                post(crew, a, wr);
                            }
                        });
            }
            for (int t = 0; t < 2; t++) {
                crew.add(
                        () -> {
                            MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 8L, 8);
                            while (left.get() > 0 && !crew.failed()) {
                                int n = cq.ops.poll(wcs, 0, 8);
                                for (int i = 0; i < n; i++) {
                                    Wc wc = Wc.at(wcs, (long) i * WcStruct.BYTES);
                                    assertThat(wc.status()).isZero();
                                    seen.incrementAndGet((int) wc.wrId());
                                }
                                left.addAndGet(-n);
                            }
                        });
            }
        }
        for (int i = 0; i < seen.length(); i++) {
            assertThat(seen.get(i)).isEqualTo(1);
        }
    }

    @Test
    void whoArmsThenPollsThenWaitsMissesNothing() {
        Semaphore events = new Semaphore(0);
        Cq cq = new Cq();
        cq.ops = fixture.context.createCq(1024, null, 0, SoftFixture.told(events::release));
        Peer a = fixture.new Peer(Ibv.QPT_RC, DEEP, false).init();
        Peer b = fixture.new Peer(Ibv.QPT_RC, DEEP, false, fixture.cq(1), cq).init();
        SoftFixture.connect(a, b);
        try (Crew crew = new Crew()) {
            crew.add(
                    () -> {
                        SendWr wr = tiny(a);
                        for (int i = 0; i < EACH; i++) {
                            post(crew, a, wr);
                        }
                    });
            crew.add(
                    () -> {
                        RecvWr buffer = b.buffer(0, 0, 8);
                        for (int i = 0; i < 8; i++) {
                            assertThat(b.qp.postRecv(buffer)).isEqualTo(PostResult.OK);
                        }
                        int left = EACH;
                        while (left > 0 && !crew.failed()) {
                            assertThat(cq.ops.reqNotify(false)).isZero();
                            int n = cq.poll().size();
                            for (int i = 0; i < n; i++) {
                                assertThat(b.qp.postRecv(buffer)).isEqualTo(PostResult.OK);
                            }
                            left -= n;
                            if (n == 0) {
                                assertThat(events.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
                            }
                        }
                    });
        }
    }

    @Test
    void queuePairsMayBeChangedAndDestroyedUnderLoad() {
        AtomicBoolean over = new AtomicBoolean();
        for (int round = 0; round < 20; round++) {
            Cq sends = fixture.cq(1 << 20);
            Cq recvs = fixture.cq(1 << 20);
            Peer a = fixture.new Peer(Ibv.QPT_RC, DEEP, true, sends, recvs);
            Peer b = fixture.new Peer(Ibv.QPT_RC, DEEP, true, sends, recvs);
            a.attr.timeout = 1;
            b.attr.minRnrTimer = 1;
            over.set(false);
            try (Crew crew = new Crew()) {
                for (Peer from : List.of(a, a, b)) {
                    SendWr wr = tiny(from);
                    crew.add(
                            () -> {
                                while (!over.get()) {
                                    int errno = PostResult.errno(from.qp.postSend(wr));
                                    assertThat(errno).isIn(0, Errno.ENOMEM, Errno.EINVAL);
                                }
                            });
                }
                for (Peer to : List.of(a, b)) {
                    RecvWr wr = to.buffer(0, 0, 8);
                    crew.add(
                            () -> {
                                while (!over.get()) {
                                    int errno = PostResult.errno(to.qp.postRecv(wr));
                                    assertThat(errno).isIn(0, Errno.ENOMEM, Errno.EINVAL);
                                    drop(sends.ops);
                                    drop(recvs.ops);
                                }
                            });
                }
                crew.add(
                        () -> {
                            for (int i = 0; i < 20; i++) {
                                a.init();
                                b.init();
                                a.rtr(b.qp.qpNum());
                                b.rtr(a.qp.qpNum());
                                // Either may have failed already, as the other was not ready.
                                a.modify(Ibv.QPS_RTS, SoftFixture.RTS_RC);
                                b.modify(Ibv.QPS_RTS, SoftFixture.RTS_RC);
                                Thread.sleep(1);
                                if (i % 3 == 0) {
                                    a.error();
                                }
                                assertThat(a.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
                                assertThat(b.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
                            }
                            a.init().rtr(b.qp.qpNum());
                            b.init().rtr(a.qp.qpNum()).rts();
                            a.modify(Ibv.QPS_RTS, SoftFixture.RTS_RC);
                            Thread.sleep(1);
                            assertThat(b.qp.destroy()).isZero();
                            assertThat(a.qp.destroy()).isZero();
                            assertThat(sends.ops.destroy()).isZero();
                            assertThat(recvs.ops.destroy()).isZero();
                            over.set(true);
                        });
            }
            assertThat(fixture.device.timer.waiting()).isZero();
        }
    }

    private static void drop(CqOps cq) {
        MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 64L, 8);
        while (cq.poll(wcs, 0, 64) > 0) {
            // Only so that the queue does not overrun.
        }
    }

    @Test
    void noCompletionFollowsADestroy() {
        for (int round = 0; round < 200; round++) {
            Peer[] p = {
                fixture.new Peer(Ibv.QPT_UC, DEEP, true).init(),
                fixture.new Peer(Ibv.QPT_UC, DEEP, true).init()
            };
            SoftFixture.connect(p[0], p[1]);
            try (Crew crew = new Crew()) {
                SendWr wr = tiny(p[0]);
                crew.add(
                        () -> {
                            for (int i = 0; i < 50; i++) {
                                p[0].qp.postSend(wr);
                            }
                        });
                Thread.onSpinWait();
                assertThat(p[0].qp.destroy()).isZero();
                int then = p[0].send.poll().size();
                assertThat(then).isLessThanOrEqualTo(50);
            }
            assertThat(p[0].send.poll()).isEmpty();
        }
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // another thread closes it: that is what is tried
    void anArenaMayBeClosedUnderLoad() {
        for (int round = 0; round < 30; round++) {
            Peer[] p = {
                fixture.new Peer(Ibv.QPT_RC, DEEP, true).init(),
                fixture.new Peer(Ibv.QPT_RC, DEEP, true).init()
            };
            SoftFixture.connect(p[0], p[1]);
            Arena arena = Arena.ofShared();
            MemorySegment memory = arena.allocate(1 << 16);
            int key = fixture.pd.regMr(memory, SoftFixture.REMOTE_ALL).rkey();
            boolean own = round % 2 == 0;
            SendWr wr = p[0].rdma(1, Ibv.WR_RDMA_WRITE, 1 << 13, p[1]);
            if (own) {
                wr.sge(0, memory.address(), 1 << 13, key);
            } else {
                wr.rdma(memory.address(), key);
            }
            List<Wc> wcs = new ArrayList<>();
            try (Crew crew = new Crew()) {
                crew.add(
                        () -> {
                            while (p[0].state() == Ibv.QPS_RTS) {
                                p[0].qp.postSend(wr);
                                wcs.addAll(p[0].send.poll());
                            }
                        });
                crew.add(
                        () -> {
                            Thread.sleep(2);
                            arena.close();
                        });
            }
            wcs.addAll(p[0].send.poll());
            assertThat(wcs)
                    .extracting(Wc::status)
                    .containsOnlyOnce(own ? Ibv.WC_LOC_PROT_ERR : Ibv.WC_REM_ACCESS_ERR)
                    .doesNotContain(Ibv.WC_GENERAL_ERR);
            assertThat(p[0].async).doesNotContain(Ibv.EVENT_QP_FATAL);
        }
    }

    @Test
    void memoryIsNotTouchedOnceItWasDeregistered() {
        for (int round = 0; round < 100; round++) {
            Peer[] p = {
                fixture.new Peer(Ibv.QPT_RC, DEEP, true).init(),
                fixture.new Peer(Ibv.QPT_RC, DEEP, true).init()
            };
            SoftFixture.connect(p[0], p[1]);
            p[0].memory.fill((byte) 7);
            try (Crew crew = new Crew()) {
                SendWr wr = p[0].rdma(1, Ibv.WR_RDMA_WRITE, 1 << 14, p[1]);
                crew.add(
                        () -> {
                            while (p[0].state() == Ibv.QPS_RTS) {
                                p[0].qp.postSend(wr);
                                p[0].send.poll();
                            }
                        });
                while (p[1].memory.get(JAVA_LONG, 0) == 0) {
                    Thread.onSpinWait();
                }
                assertThat(p[1].mr.dereg()).isZero();
                p[1].memory.fill((byte) 0);
            }
            assertThat(p[1].memory.mismatch(MemorySegment.ofArray(new byte[1 << 14])))
                    .isEqualTo(-1);
            QpAttr attr = new QpAttr();
            p[1].qp.query(attr);
            assertThat(attr.qpState).isEqualTo(Ibv.QPS_ERR);
        }
    }

    @Test
    void atomicsAreAtomicWhoeverDoesThem() {
        Peer target = fixture.peer(Ibv.QPT_RC);
        List<Peer[]> pairs = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            Peer a = fixture.new Peer(Ibv.QPT_RC, DEEP, false).init();
            Peer b = fixture.new Peer(Ibv.QPT_RC, DEEP, false).init();
            SoftFixture.connect(a, b);
            pairs.add(new Peer[] {a, b});
        }
        try (Crew crew = new Crew()) {
            for (Peer[] p : pairs) {
                SendWr wr = p[0].atomic(1, Ibv.WR_ATOMIC_FETCH_AND_ADD, target, 3, 0);
                wr.sendFlags(0);
                crew.add(
                        () -> {
                            for (int i = 0; i < EACH; i++) {
                                post(crew, p[0], wr);
                            }
                        });
            }
        }
        assertThat(target.memory.get(JAVA_LONG, 0)).isEqualTo(3L * THREADS * EACH);
    }
}
